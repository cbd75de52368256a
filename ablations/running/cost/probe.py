"""A probe: a trial's training in a worker process for some seconds, timed as a sweep would run it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch

from ablations.planning.recipe import Recipe
from ablations.planning.trial import DataSpec, Trial
from ablations.running.data import Prepared, load, prepared_path
from ablations.running.machine.devices import choose_device, choose_precision
from ablations.running.machine.kernels import ALL_KERNELS, Kernels
from ablations.running.training.checkpoint import Keeper
from ablations.running.training.fitting import Fit, Observer
from ablations.running.training.networks import data_shape
from ablations.running.training.testing import NotFinite, hash_weights, test
from ablations.running.training.trial_training import prepare_fit
from senet_core.complexity import measure_complexity
from senet_core.plugins import load_installed_plugins, load_plugin_file
from senet_core.randomness import drawing_from

WARM_UP = 2
"""Steps that are not timed: memory is found and kernels are chosen in them."""

LEAST_STEPS = 3
"""Steps that are timed even where the time is over."""

_SYNTHETIC_BATCHES = 4
_TEST_IMAGES = 200
_ENDLESS = 1_000_000
_TINY_RATE = 1e-6  # at which no training diverges; it changes no time


@dataclass(frozen=True)
class Probe:
    """What is to be timed, as it travels to a worker.

    Attributes:
        trial: canonical JSON.
        batch: images in a step; fewer than the recipe's where a step of these would take too long.
        seconds: about how long to train.
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
class ProbeTiming:
    """What a probe measured. In seconds.

    Attributes:
        begun: when it began, on this machine's clock.
        steps: each timed step, for one image.
        test: for one test image.
        rest: for opening the data, building the network, counting and hashing.
    """

    begun: float
    steps: tuple[float, ...]
    test: float
    rest: float


class _Enough(Exception):
    """The training has been timed for long enough."""


def run_probe(probe: Probe) -> ProbeTiming:
    """Train for some seconds, test once, and return how long each part took.

    Raises:
        Exception: whatever the network raises.
    """
    begun, marks = time.time(), [time.perf_counter()]
    load_installed_plugins()
    for file in probe.plugins:
        load_plugin_file(file)
    trial = _endless(Trial.from_json(probe.trial), probe.batch)
    device = choose_device()
    precision = choose_precision(trial.recipe.precision, device)
    data = _data(trial, probe)
    fit = prepare_fit(trial, data, device, kernels=probe.kernels.on(device, precision))
    marks.append(time.perf_counter())
    with drawing_from(trial.seed, "noise", device=device):
        steps = _time_steps(fit, probe.seconds, device)
    some = data.subset(test_images=min(_TEST_IMAGES, len(data.test_labels)))
    marks.append(time.perf_counter())
    with suppress(NotFinite):
        test(fit.model, some, device, fit.precision)
    marks.append(time.perf_counter())
    measure_complexity(
        trial.backbone, trial.variant, image_shape=data.image_shape, num_classes=data.num_classes
    )
    hash_weights(fit.model)
    marks.append(time.perf_counter())
    built, _, tested, ended = (later - earlier for earlier, later in pairwise(marks))
    per_image = tuple(step / fit.batches.size for step in steps)
    return ProbeTiming(begun, per_image, tested / len(some.test_labels), built + ended)


def _endless(trial: Trial, batch: int) -> Trial:
    """Return a trial that trains for as long as it is let, in batches of this size, on images of full size."""
    length = {"batch_size": batch, "iterations": _ENDLESS, "epochs": None}
    size = {"start_size": None, "full_size_from": None}
    rate = {"lr": _TINY_RATE, "warmup": 0.0, "warmup_lr": None}
    recipe = {**trial.recipe.model_dump(), **length, **size, **rate}
    return replace(trial, recipe=Recipe.model_validate(recipe))


def _data(trial: Trial, probe: Probe) -> Prepared:
    path = prepared_path(trial.data, probe.data_dir)
    if path.is_file():
        return load(path).subset(trial.data.train_images, trial.data.test_images)
    return synthetic_data(trial.data, probe.batch * _SYNTHETIC_BATCHES)


def synthetic_data(spec: DataSpec, images: int) -> Prepared:
    """Return random images of a data set's shape: what they show does not change how long a step takes.

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


def _time_steps(fit: Fit, seconds: float, device: torch.device) -> list[float]:
    """Train for `seconds`, or until enough steps are timed; return how long each timed step took."""
    marks = [time.perf_counter()]

    def clock(done: int, total: int) -> None:
        _finish(device)
        marks.append(time.perf_counter())
        if marks[-1] - marks[0] >= seconds and done >= WARM_UP + LEAST_STEPS:
            raise _Enough

    with suppress(_Enough):
        fit.run(Observer(progress=clock), Keeper())
    return [later - earlier for earlier, later in pairwise(marks)][WARM_UP:]


def _finish(device: torch.device) -> None:
    """Wait until the device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
