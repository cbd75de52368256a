"""Seconds of training until SE-ResNet-20 has a test accuracy: our training, or plain PyTorch with the same recipe.

Both get one core, to which they are bound, one thread, and the recipe cifar-quick. The accuracy is measured after every
epoch, outside the clock; it chooses nothing but when to stop. `--plain` trains plain PyTorch.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, Subset

from ablations.planning.networks.recipe import Recipe
from ablations.running.data import Prepared
from ablations.running.training.checkpoint import Supervisor
from ablations.running.training.evaluation import evaluate
from ablations.running.training.learning_rate.schedule import learning_rate
from ablations.running.training.optimizers import make_optimiser
from ablations.running.training.trainer import Observer
from bench.contenders import setting
from bench.contenders.network import SEResNet20
from bench.contenders.plain_pytorch import train_transform
from bench.our_training import CPU, cifar_quick, images, prepare
from bench.programs import add_data, program_parser, run_program, tell
from senet_core.randomness import drawing_from

SMOKE_IMAGES = 256


class Reached(Exception):
    """The accuracy was reached."""


class AccuracyClock:
    """Runs while a network trains, and stops for its tests.

    Args:
        target: accuracy in per cent at which the training ends.
        measure: returns the accuracy in per cent.

    Attributes:
        epochs: of each finished epoch, the seconds of training until its end and the accuracy then.
    """

    def __init__(self, target: float, measure: Callable[[], float]) -> None:
        self._target, self._measure = target, measure
        self._seconds, self._started = 0.0, time.perf_counter()
        self.epochs: list[tuple[float, float]] = []

    def epoch_ended(self) -> None:
        """Measure the accuracy outside the clock.

        Raises:
            Reached: it is enough.
        """
        self._seconds += time.perf_counter() - self._started
        self.epochs.append((self._seconds, self._measure()))
        if self.epochs[-1][1] >= self._target:
            raise Reached
        self._started = time.perf_counter()

    @property
    def seconds(self) -> float | None:
        """Seconds of training until the target was reached; None where it was not."""
        return self.epochs[-1][0] if self.epochs and self.epochs[-1][1] >= self._target else None


def accuracy_of(model: nn.Module, data: Prepared, precision: str) -> float:
    """Return the accuracy on test images in per cent; the network goes on in training mode."""
    error, *_ = evaluate(model, data, CPU, precision)
    model.train()
    return 100 - error


def train_ours(data: Prepared, recipe: Recipe, seed: int, target: float) -> AccuracyClock:
    """Train as a worker of a sweep does."""
    trainer = prepare(data, recipe, seed)
    clock = AccuracyClock(target, lambda: accuracy_of(trainer.model, data, trainer.precision))
    with drawing_from(seed, "noise", device=CPU), suppress(Reached):
        trainer.run(Observer(epoch=lambda metrics: clock.epoch_ended()), Supervisor())
    return clock


def train_plain(
    data: Prepared, prepared: Path | None, recipe: Recipe, seed: int, target: float
) -> AccuracyClock:
    """Train as `plain_pytorch` does, with the recipe's rates and decay; without loader processes, on one core."""
    torch.manual_seed(seed)
    some = Subset(setting.PILImages(prepared, train_transform()), range(len(data.train_labels)))
    loader = DataLoader(some, recipe.batch_size, shuffle=True, drop_last=True)
    model = SEResNet20().train()
    optimiser = make_optimiser(model, recipe)
    mean, std = (tuple(255 * value for value in values) for values in (setting.MEAN, setting.STD))
    same = replace(data, mean=mean, std=std)
    clock = AccuracyClock(target, lambda: accuracy_of(model, same, "fp32"))
    step, total = 0, recipe.steps(len(loader))
    with suppress(Reached):
        while step < total:
            for inputs, labels in loader:
                for group in optimiser.param_groups:
                    group["lr"] = learning_rate(recipe, step, total=total)
                loss = F.cross_entropy(model(inputs), labels)
                optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
                step += 1
                if step == total:
                    break
            clock.epoch_ended()
    return clock


def main() -> None:
    """Train and print JSON, on a line of its own."""
    parser = program_parser(__doc__)
    add_data(parser)
    parser.add_argument("--seed", type=int, default=0, help="%(default)s if not given")
    parser.add_argument("--plain", action="store_true", help="plain PyTorch instead of ours")
    parser.add_argument("--epochs", type=float, default=5.0, help="of the recipe")
    parser.add_argument("--target", type=float, default=78.0, help="test accuracy in per cent")
    parser.add_argument("--images", type=int, help="of an epoch; all without it")
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    torch.set_num_threads(1)
    data = images(options.data, SMOKE_IMAGES).subset(train_images=options.images)
    recipe = cifar_quick(epochs=options.epochs)
    recipe = cifar_quick(epochs=options.epochs, batch_size=min(recipe.batch_size, len(data.train_labels)))
    if options.plain:
        clock = train_plain(data, options.data, recipe, options.seed, options.target)
    else:
        clock = train_ours(data, recipe, options.seed, options.target)
    tell(seed=options.seed, seconds=clock.seconds, epochs=clock.epochs)


if __name__ == "__main__":
    run_program(main)
