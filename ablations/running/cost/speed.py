"""Speed of the trials of one kind, and the time that a trial of that kind takes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from ablations.planning.networks.data_spec import DataSpec
from ablations.planning.networks.datasets import dataset
from ablations.planning.networks.recipe import Recipe
from ablations.running.data import load, prepared_path
from ablations.running.training.learning_rate.schedule import pixel_share
from ablations.running.training.networks import data_shape

SPEED_FIELDS = ("batch_size", "crop", "pad", "flip", "cutout", "start_size", "full_size_from", "precision")
"""Fields of a recipe that decide how long its steps take, and that every trial's speed key has."""

LATER_SPEED_FIELDS = (
    "optimizer",
    "clip_norm",
    "loss",
    "randaugment",
    "erasing",
    "mixup",
    "cutmix",
    "dropout",
    "stochastic_depth",
    "ema",
    "freeze",
)
"""More of them, which are in the key only where a recipe says them: calibrations keep their keys."""


Span = tuple[float, float, float]
"""A time in seconds: the median of its measurements, and their quartiles."""


def spread(values: Iterable[float]) -> Span:
    """Return the median and the quartiles; of two values, these."""
    known = sorted(values)
    if len(known) < 3:
        return median(known), known[0], known[-1]
    low, mid, high = quantiles(known, n=4, method="inclusive")
    return mid, low, high


@dataclass(frozen=True)
class ImageCounts:
    """Numbers of images that a trial sees in an epoch and at the end, and their side in pixels."""

    train: int
    test: int
    side: int

    def subset(self, train: int | None, test: int | None) -> ImageCounts:
        """Return the counts of a subset, as a trial's data name it; None for all."""
        return ImageCounts(train or self.train, test or self.test, self.side)


@dataclass(frozen=True)
class Speed:
    """The speed of the trials of one kind.

    Attributes:
        train: seconds for a training image of full size; smaller images take time in proportion to their pixels.
        test: seconds for a test image.
        rest: seconds of a trial for all else: opening the data, building the network, counting, hashing.
        source: "earlier trials", "calibration", or "like ROW" for a kind that was not measured.
    """

    train: Span
    test: float
    rest: float
    source: str

    def seconds(self, recipe: Recipe, images: ImageCounts) -> Span:
        """Return how long training and test of a trial take, as its record will have it."""
        seen, tested = full_size_images(recipe, images), images.test * self.test
        mid, low, high = (each * seen + tested for each in self.train)
        return mid, low, high


def full_size_images(recipe: Recipe, images: ImageCounts) -> float:
    """Return how many images of full size have the pixels that a training sees."""
    trained_on = recipe.trained_on(images.train)
    size = min(recipe.batch_size, trained_on)
    steps = recipe.steps(trained_on // size)
    return steps * size * pixel_share(recipe, total=steps, full=images.side)


def speed_key(trial: Mapping[str, Any]) -> str:
    """Name what decides how fast a trial goes; trials with one key differ in seed, length and rates at most.

    Args:
        trial: its canonical JSON.
    """
    network = {name: trial[name] for name in ("backbone", "variant", "plugins")}
    data = {name: trial["data"].get(name) for name in ("name", "path", "size")}
    said = trial["recipe"]
    recipe = {name: said.get(name) for name in SPEED_FIELDS}
    later = {name: said[name] for name in LATER_SPEED_FIELDS if name in said}
    recipe |= {name: value > 0 if isinstance(value, float) else value for name, value in later.items()}
    return json.dumps([network, data, recipe], sort_keys=True)


def count_images(spec: DataSpec, data_dir: Path) -> ImageCounts | None:
    """Count the images of a whole data set: as prepared, else as published; None where only its folder knows."""
    path, known = prepared_path(spec, data_dir), dataset(spec.name)
    side = data_shape(spec).image_shape[1]
    if path.is_file():
        prepared = load(path)
        return ImageCounts(len(prepared.train_labels), len(prepared.test_labels), side)
    train, test = known.train_images or spec.train_images, known.test_images or spec.test_images
    return ImageCounts(train, test, side) if train and test else None
