"""The loss after some steps with every fast path on, against plain PyTorch code in float32, seed by seed.

SE-ResNet-20 with the recipe cifar-quick over as many steps, a quarter of them an epoch. What is compared is the mean
training loss of the last epoch; the differences of pairs with the same seed are set against the spread of seeds.
"""

from __future__ import annotations

import argparse
import json
import statistics
from pathlib import Path

import torch

from ablations.planning.recipe import RECIPES
from ablations.planning.trial import DataSpec, Trial
from ablations.running.cost.probe import synthetic_data
from ablations.running.data import Prepared, load
from ablations.running.machine.devices import choose_precision
from ablations.running.machine.kernels import ALL_KERNELS, NO_KERNELS, Kernels
from ablations.running.training.checkpoint import Supervisor
from ablations.running.training.trainer import Observer
from ablations.running.training.trial_training import make_trainer
from senet_core import SEVariant
from senet_core.randomness import drawing_from

CPU = torch.device("cpu")
EPOCHS = 4


def last_loss(data: Prepared, seed: int, steps: int, batch: int, precision: str, kernels: Kernels) -> float:
    """Train, and return the mean loss of the last epoch."""
    recipe = RECIPES["cifar-quick"].model_copy(
        update={"epochs": None, "iterations": steps, "batch_size": batch, "precision": precision}
    )
    trial = Trial("resnet20", SEVariant(), DataSpec(name="cifar10"), recipe, seed)
    trainer = make_trainer(
        trial, data, CPU, kernels=kernels.available_on(CPU, choose_precision(precision, CPU))
    )
    with drawing_from(seed, "noise", device=CPU):
        trainer.run(Observer(), Supervisor())
    return trainer.history[-1].train_loss


def main() -> None:
    """Train and print JSON: every seed's losses, their spread and the differences."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="prepared CIFAR-10; random images without it")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    known = DataSpec(name="cifar10")
    images = options.steps // EPOCHS * options.batch
    data = load(options.data) if options.data is not None else synthetic_data(known, images)
    data = data.subset(train_images=images)
    chosen = choose_precision("auto", CPU)
    print(json.dumps({"precision": chosen, **ALL_KERNELS.available_on(CPU, chosen).to_json()}), flush=True)
    pairs: list[tuple[float, float]] = []
    for seed in range(options.seeds):
        ways = (("fp32", NO_KERNELS), ("auto", ALL_KERNELS))
        ended = [last_loss(data, seed, options.steps, options.batch, *way) for way in ways]
        pairs.append((ended[0], ended[1]))
        print(json.dumps({"seed": seed, "plain": pairs[-1][0], "fast": pairs[-1][1]}), flush=True)
    plain, fast = zip(*pairs, strict=True)
    print(
        json.dumps(
            {
                "steps": options.steps, "batch": options.batch, "seeds": options.seeds,
                "plain_mean": statistics.mean(plain), "fast_mean": statistics.mean(fast),
                "standard_deviation_of_seeds": statistics.stdev(plain),
                "largest_difference_of_a_pair": max(abs(p - f) for p, f in pairs),
                "mean_difference": statistics.mean(f - p for p, f in pairs),
            }
        ),
        flush=True,
    )  # fmt: skip


if __name__ == "__main__":
    main()
