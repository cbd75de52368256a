"""The loss after some steps with every fast path on, against plain PyTorch code in float32, seed by seed.

SE-ResNet-20 with the recipe cifar-quick over as many steps, a quarter of them an epoch. What is compared is the mean
training loss of the last epoch; the differences of pairs with the same seed are set against the spread of seeds.
"""

from __future__ import annotations

from statistics import mean, stdev

import torch

from ablations.running.data import Prepared
from ablations.running.machine.devices import preferred_precision
from ablations.running.machine.kernels import ALL_KERNELS, NO_KERNELS, Kernels
from ablations.running.training.checkpoint import Supervisor
from ablations.running.training.trainer import Observer
from bench.our_training import CPU, cifar_quick, images, prepare
from bench.programs import add_data, program_parser, run_program, tell
from senet_core.errors import UserError
from senet_core.randomness import drawing_from

EPOCHS = 4


def last_loss(data: Prepared, seed: int, steps: int, batch: int, precision: str, kernels: Kernels) -> float:
    """Train, and return the mean loss of the last epoch."""
    recipe = cifar_quick(epochs=None, iterations=steps, batch_size=batch, precision=precision)
    trainer = prepare(data, recipe, seed, kernels=kernels)
    with drawing_from(seed, "noise", device=CPU):
        trainer.run(Observer(), Supervisor())
    return trainer.history[-1].train_loss


def main() -> None:
    """Train and print JSON: every seed's losses, their spread and the differences."""
    parser = program_parser(__doc__, steps=200, batch=128, seeds=5)
    add_data(parser)
    options = parser.parse_args()
    if options.seeds < 2:
        raise UserError(f"`--seeds` must be at least 2, for they have a spread, got {options.seeds}")
    torch.set_num_threads(1)
    count = options.steps // EPOCHS * options.batch
    data = images(options.data, count).subset(train_images=count)
    precision = preferred_precision(CPU)
    tell(precision=precision, **ALL_KERNELS.available_on(CPU, precision).to_json())
    pairs: list[tuple[float, float]] = []
    for seed in range(options.seeds):
        plain, fast = (
            last_loss(data, seed, options.steps, options.batch, *way)
            for way in (("fp32", NO_KERNELS), ("auto", ALL_KERNELS))
        )
        pairs.append((plain, fast))
        tell(seed=seed, plain=plain, fast=fast)
    tell(
        steps=options.steps,
        batch=options.batch,
        seeds=options.seeds,
        plain_mean=mean(plain for plain, _ in pairs),
        fast_mean=mean(fast for _, fast in pairs),
        standard_deviation_of_seeds=stdev(plain for plain, _ in pairs),
        largest_difference_of_a_pair=max(abs(plain - fast) for plain, fast in pairs),
        mean_difference=mean(fast - plain for plain, fast in pairs),
    )


if __name__ == "__main__":
    run_program(main)
