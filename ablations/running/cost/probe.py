"""A probe: a few steps of one trial's training in a worker process, timed as a sweep would run them."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from ablations.planning.recipe import Recipe
from ablations.planning.trial import DataSpec, Trial
from ablations.running.data import Prepared, load, prepared_path
from ablations.running.machine.devices import choose_device, choose_precision
from ablations.running.machine.kernels import ALL_KERNELS, Kernels
from ablations.running.training.checkpoint import Checkpoints, Supervisor
from ablations.running.training.evaluation import NotFinite, evaluate, hash_weights
from ablations.running.training.networks import data_shape
from ablations.running.training.trainer import Observer, Trainer
from ablations.running.training.trial_training import make_trainer
from senet_core.complexity import measure_complexity
from senet_core.plugins import load_installed_plugins, load_plugin_file
from senet_core.randomness import drawing_from

WARM_UP = 2
"""Steps that are not timed: memory is found and kernels are chosen in them."""

LEAST_STEPS = 3
"""Steps that are timed even where the time is over, unless one takes longer than all of it."""

_TRAINING_SHARE = 0.8  # of a probe's time; what comes after takes the rest
_PATIENCE = 2  # times a probe's time, after which one timed step will do
_SYNTHETIC_BATCHES = 4
_TEST_IMAGES = 200
_ENDLESS = 1_000_000


@dataclass(frozen=True)
class Probe:
    """What is to be timed, as it travels to a worker.

    Attributes:
        trial: canonical JSON.
        batch: images in a step; fewer than the recipe's where a step of these would take too long.
        seconds: about how long the probe may take.
        data_dir: where the prepared data sets are; what is not there is replaced by random images.
        plugins: plug-in files that the study needs.
        kernels: which to train with where they can be had.
    """

    trial: Mapping[str, Any]
    batch: int
    seconds: float
    data_dir: Path
    plugins: tuple[str, ...] = ()
    kernels: Kernels = ALL_KERNELS


@dataclass(frozen=True)
class Lap:
    """A stretch of work, in seconds.

    Attributes:
        wall: that passed.
        computed: that the process had of each of its cores; less than `wall` where the machine has other work.
    """

    wall: float
    computed: float

    def over(self, count: int) -> Lap:
        """Give the part of one of `count` equal pieces."""
        return Lap(self.wall / count, self.computed / count)


@dataclass(frozen=True)
class Timing:
    """What a probe found.

    Attributes:
        begun: when it began, on this machine's clock.
        steps: of each timed step, for one image.
        test: for one test image.
        save: for a checkpoint.
        rest: for opening the data, building the network, counting and hashing.
    """

    begun: float
    steps: tuple[Lap, ...]
    test: Lap
    save: Lap
    rest: Lap


class _Enough(Exception):
    """The training has been looked at for long enough."""


def run_probe(probe: Probe) -> Timing:
    """Train a few steps, save once, test once, and say how long each took.

    Raises:
        Exception: whatever the network raises.
    """
    begun, watch = time.time(), _Watch()
    load_installed_plugins()
    for file in probe.plugins:
        load_plugin_file(file)
    trial = _endless(Trial.from_json(probe.trial), probe.batch)
    device = choose_device()
    precision = choose_precision(trial.recipe.precision, device)
    data = _data(trial, probe)
    trainer = make_trainer(trial, data, device, kernels=probe.kernels.available_on(device, precision))
    built = watch.passed()
    with drawing_from(trial.seed, "noise", device=device), tempfile.TemporaryDirectory() as folder:
        left = probe.seconds * _TRAINING_SHARE - built.wall
        steps = _time_steps(trainer, left, probe.seconds * _PATIENCE, device)
        watch.passed()
        Checkpoints(Path(folder), {}).save(trainer.step, trainer.state())
        save = watch.passed()
    images = min(_TEST_IMAGES, len(data.test_labels))
    some = data.subset(test_images=images)
    watch.passed()
    with suppress(NotFinite):
        evaluate(trainer.model, some, device, trainer.precision)
    tested = watch.passed().over(images)
    measure_complexity(
        trial.backbone, trial.variant, image_shape=data.image_shape, num_classes=data.num_classes
    )
    hash_weights(trainer.model)
    ended = watch.passed()
    rest = Lap(built.wall + ended.wall, built.computed + ended.computed)
    return Timing(begun, tuple(step.over(trainer.batches.size) for step in steps), tested, save, rest)


class _Watch:
    def __init__(self) -> None:
        self._wall, self._computed = time.perf_counter(), time.process_time()

    def passed(self) -> Lap:
        wall, computed = time.perf_counter(), time.process_time()
        lap = Lap(wall - self._wall, (computed - self._computed) / torch.get_num_threads())
        self._wall, self._computed = wall, computed
        return lap


def _endless(trial: Trial, batch: int) -> Trial:
    """Give a trial that trains for as long as it is let, in batches of this size, on images of full size."""
    endless = {"batch_size": batch, "iterations": _ENDLESS, "epochs": None}
    endless |= {"start_size": None, "full_size_from": None}
    return replace(trial, recipe=Recipe.model_validate({**trial.recipe.model_dump(), **endless}))


def _data(trial: Trial, probe: Probe) -> Prepared:
    path = prepared_path(trial.data, probe.data_dir)
    if path.is_file():
        return load(path).subset(trial.data.train_images, trial.data.test_images)
    return synthetic_data(trial.data, probe.batch * _SYNTHETIC_BATCHES)


def synthetic_data(spec: DataSpec, images: int) -> Prepared:
    """Make random images of a data set's shape: what they show does not change how long a step takes.

    Args:
        spec: the data set.
        images: how many for training; at least one of each class is made.
    """
    shape = data_shape(spec)
    channels, height, width = shape.image_shape
    generator = torch.Generator().manual_seed(0)

    def random(count: int) -> torch.Tensor:
        return torch.randint(
            256, (count, height, width, channels), generator=generator, dtype=torch.uint8, device="cpu"
        )

    train, tested = max(images, shape.num_classes), min(_TEST_IMAGES, images)
    return Prepared(
        name=spec.name,
        train_images=random(train),
        train_labels=torch.arange(train) % shape.num_classes,
        test_images=random(tested),
        test_labels=torch.arange(tested) % shape.num_classes,
        classes=tuple(map(str, range(shape.num_classes))),
        mean=(128.0,) * channels,
        std=(64.0,) * channels,
        digest="",
        source="random",
        note="",
        path=Path(),
    )


def _time_steps(trainer: Trainer, seconds: float, most: float, device: torch.device) -> list[Lap]:
    """Train for `seconds`, or until enough steps are timed or `most` is over; returns the steps that are timed."""
    began, watch = time.perf_counter(), _Watch()
    steps: list[Lap] = []

    def clock(done: int, total: int) -> None:
        _finish(device)
        steps.append(watch.passed())
        passed, timed = time.perf_counter() - began, len(steps) - WARM_UP
        if passed >= seconds and (
            timed >= LEAST_STEPS or (timed > 0 and passed >= most) or passed >= 3 * most
        ):
            raise _Enough

    with suppress(_Enough):
        trainer.run(Observer(progress=clock), Supervisor())
    return steps[WARM_UP:] or steps[-1:]


def _finish(device: torch.device) -> None:
    """Wait until the device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
