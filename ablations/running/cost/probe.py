"""Probes: training of a trial in a worker process for some seconds, as a sweep would train it, to time it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from ablations.planning.networks.data_spec import DataSpec
from ablations.planning.networks.recipe import Recipe
from ablations.planning.networks.trial import NetworkTrial
from ablations.running.data import Prepared, load, prepared_path
from ablations.running.data.content import check_content
from ablations.running.machine.cuda.device import prepare_device
from ablations.running.machine.devices import choose_device
from ablations.running.machine.kernels import ALL_KERNELS, Kernels
from ablations.running.training.networks import data_shape
from ablations.running.training.trial_training import train
from senet_core.plugins import load_installed_plugins, load_plugin_file

FIRST_STEPS = 4
"""Of a first training, which is not counted: libraries are loaded, memory is found and kernels are chosen in it."""

_SYNTHETIC_BATCHES = 4
_TEST_IMAGES = 200
_TINY_RATE = 1e-6  # at which no training diverges; it changes no time


@dataclass(frozen=True)
class Probe:
    """The trial to time, and how, as it travels to a worker.

    Attributes:
        trial: canonical JSON.
        batch: images in a step; fewer than the recipe's where a step of these would take too long.
        seconds: about how long to train.
        data_dir: where the prepared data sets are; what is not there is replaced by random images.
        plugins: plug-in files that the study needs.
        kernels: which to train with where they can be had.
        images: where this machine has the images of an image-folder; None for other data.
    """

    trial: Mapping[str, Any]
    batch: int
    seconds: float
    data_dir: Path
    plugins: tuple[str, ...] = ()
    kernels: Kernels = ALL_KERNELS
    images: str | None = None


@dataclass(frozen=True)
class ProbeTiming:
    """The measurements of a probe.

    Attributes:
        begun: when it began, on this machine's clock.
        train: seconds for a training image of full size.
        test: seconds for a test image.
        rest: seconds of a trial for all else: opening the data, building the network, counting, hashing.
    """

    begun: float
    train: float
    test: float
    rest: float


def run_probe(probe: Probe) -> ProbeTiming:
    """Train a few steps, then as many as take about the seconds; return how long the latter took.

    Raises:
        Exception: whatever the network raises.
    """
    begun = time.time()
    load_installed_plugins()
    for file in probe.plugins:
        load_plugin_file(file)
    trial, device = NetworkTrial.from_json(probe.trial), choose_device()
    kernels = probe.kernels.available_on(device, trial.recipe.precision)
    prepare_device(device, trial.recipe.precision)

    def timed(steps: int) -> ProbeTiming:
        began = time.perf_counter()
        data = _data(trial, probe)
        result, *_ = train(_of_length(trial, probe.batch, steps), data, device, kernels=kernels)
        rest = time.perf_counter() - began - result.train_seconds - result.test_seconds
        images = steps * probe.batch, len(data.test_labels)
        return ProbeTiming(begun, result.train_seconds / images[0], result.test_seconds / images[1], rest)

    timed(FIRST_STEPS)
    steps = FIRST_STEPS
    while (timing := timed(steps)).train * probe.batch * steps < probe.seconds / 2:
        steps = int(probe.seconds / (timing.train * probe.batch))
    return timing


def _of_length(trial: NetworkTrial, batch: int, steps: int) -> NetworkTrial:
    """Return a trial of so many steps in batches of this size, on images of full size."""
    changed = {
        "batch_size": batch,
        "iterations": steps,
        "epochs": None,
        "start_size": None,
        "full_size_from": None,
    }
    rate = {"lr": _TINY_RATE, "warmup": 0.0, "warmup_lr": None}
    recipe = Recipe.model_validate({**trial.recipe.model_dump(), **changed, **rate})
    recipe = recipe.model_copy(update={"weights": None})  # they change no time, frozen stages do
    data = trial.data.model_copy(
        update={"validation_images": None}
    )  # which would be tested after every epoch
    return replace(trial, recipe=recipe, data=data)


def _data(trial: NetworkTrial, probe: Probe) -> Prepared:
    path = prepared_path(trial.data.located(probe.images), probe.data_dir)
    if not path.is_file():
        return synthetic_data(trial.data, probe.batch * _SYNTHETIC_BATCHES)
    check_content(path)
    data = load(path).subset(trial.data.train_images)
    return data.subset(test_images=min(_TEST_IMAGES, len(data.test_labels)))


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
