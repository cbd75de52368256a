"""Seconds of training until SE-ResNet-20 has a test accuracy: our training, or plain PyTorch with the same recipe.

Both get one core, to which they are bound, one thread, and the recipe cifar-quick. The accuracy is measured after every
epoch, outside the clock; it chooses nothing but when to stop. `--plain` trains plain PyTorch.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import setting
import torch
import torch.nn.functional as F
from network import SEResNet20
from plain_pytorch import train_transform
from torch.utils.data import DataLoader, Subset

from ablations.planning.recipe import RECIPES, Recipe
from ablations.planning.trial import DataSpec, Trial
from ablations.running.cost.probe import synthetic_data
from ablations.running.data import Prepared, load
from ablations.running.machine.devices import choose_precision
from ablations.running.machine.kernels import ALL_KERNELS
from ablations.running.training.checkpoint import Supervisor
from ablations.running.training.evaluation import evaluate
from ablations.running.training.schedule import learning_rate
from ablations.running.training.trainer import Observer, make_optimiser
from ablations.running.training.trial_training import make_trainer
from senet_core import SEVariant
from senet_core.randomness import drawing_from

CPU = torch.device("cpu")
SMOKE_IMAGES = 256


class Reached(Exception):
    """The accuracy was reached."""


class Race:
    """Runs the clock, and stops it for tests.

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


def train_ours(data: Prepared, recipe: Recipe, seed: int, target: float) -> Race:
    """Train as a worker of a sweep does."""
    trial = Trial("resnet20", SEVariant(), DataSpec(name="cifar10"), recipe, seed)
    kernels = ALL_KERNELS.available_on(CPU, choose_precision(recipe.precision, CPU))
    trainer = make_trainer(trial, data, CPU, kernels=kernels)

    def accuracy() -> float:
        error, _, _ = evaluate(trainer.model, data, CPU, trainer.precision)
        trainer.model.train()
        return 100 - error

    race = Race(target, accuracy)
    with drawing_from(seed, "noise", device=CPU), suppress(Reached):
        trainer.run(Observer(epoch=lambda metrics: race.epoch_ended()), Supervisor())
    return race


def train_plain(data: Prepared, prepared: Path | None, recipe: Recipe, seed: int, target: float) -> Race:
    """Train as `plain_pytorch.py` does, with the recipe's rates and decay; without loader processes, on one core."""
    torch.manual_seed(seed)
    images = setting.Images(prepared, train_transform())
    some = Subset(images, range(len(data.train_labels)))
    loader = DataLoader(some, recipe.batch_size, shuffle=True, drop_last=True)
    model = SEResNet20()
    optimiser = make_optimiser(model, recipe)
    mean, std = (tuple(255 * value for value in values) for values in (setting.MEAN, setting.STD))
    same = replace(data, mean=mean, std=std)

    def accuracy() -> float:
        error, _, _ = evaluate(model, same, CPU, "fp32")
        model.train()
        return 100 - error

    model.train()
    race, step, total = Race(target, accuracy), 0, recipe.steps(len(loader))
    while step < total:
        for inputs, labels in loader:
            for group in optimiser.param_groups:
                group["lr"] = learning_rate(recipe, step, total=total)
            loss = F.cross_entropy(model(inputs), labels)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            step += 1
            if step == total:
                break
        try:
            race.epoch_ended()
        except Reached:
            break
    return race


def main() -> None:
    """Train and print JSON, on a line of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--data", type=Path, help="prepared CIFAR-10; without it some random images, to try the script"
    )
    parser.add_argument("--plain", action="store_true", help="plain PyTorch instead of ours")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=float, default=5.0, help="of the recipe")
    parser.add_argument("--target", type=float, default=78.0, help="test accuracy in per cent")
    parser.add_argument("--images", type=int, help="of an epoch; all without it")
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    torch.set_num_threads(1)
    known = DataSpec(name="cifar10")
    data = load(options.data) if options.data is not None else synthetic_data(known, SMOKE_IMAGES)
    data = data.subset(train_images=options.images)
    recipe = RECIPES["cifar-quick"].model_copy(update={"epochs": options.epochs})
    recipe = recipe.model_copy(update={"batch_size": min(recipe.batch_size, len(data.train_labels))})
    if options.plain:
        race = train_plain(data, options.data, recipe, options.seed, options.target)
    else:
        race = train_ours(data, recipe, options.seed, options.target)
    print(json.dumps({"seed": options.seed, "seconds": race.seconds, "epochs": race.epochs}), flush=True)


if __name__ == "__main__":
    main()
