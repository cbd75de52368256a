"""How fast trials go, and how long they therefore take; known from earlier records of the same settings."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import mean, median, quantiles
from typing import Any

from ablations.planning.datasets import dataset
from ablations.planning.recipe import Recipe
from ablations.planning.trial import DataSpec, Trial
from ablations.running.data import load, prepared_path
from ablations.running.machine.kernels import Kernels
from ablations.running.record.trial_file import FILE_NAME, Record
from ablations.running.record.trial_record import TrialRecord
from ablations.running.training.checkpoint import MAX_SECONDS, MIN_SECONDS
from ablations.running.training.networks import data_shape
from ablations.running.training.schedule import pixel_share
from senet_core.errors import UserError

SPEED_FIELDS = ("batch_size", "crop", "pad", "flip", "cutout", "start_size", "full_size_from", "precision")
"""Fields of a recipe that decide how long its steps take."""

SAME_MACHINE = ("processor", "cores", "device", "threads", "fused", "winograd")
"""What must be the same of an earlier trial's environment for its time to count here."""

_NEWEST = 20  # earlier trials of one kind that are looked at


@dataclass(frozen=True)
class Span:
    """A time, and the range in which the middle half of its measurements lies. In seconds."""

    mid: float
    low: float
    high: float

    def scaled(self, factor: float, plus: float = 0.0) -> Span:
        """Give the span of `factor` times as much, and a constant more."""
        return Span(self.mid * factor + plus, self.low * factor + plus, self.high * factor + plus)


@dataclass(frozen=True)
class Images:
    """How many images a trial of a data set sees.

    Attributes:
        train: in an epoch.
        test: at the end.
        side: of an image, in pixels.
    """

    train: int
    test: int
    side: int


@dataclass(frozen=True)
class Speed:
    """How fast trials of one kind go.

    Attributes:
        train: seconds for a training image of full size; smaller ones are taken to need time by their pixels.
        test: seconds for a test image.
        save: seconds for a checkpoint; 0 where it is part of `train`.
        rest: seconds a trial for all else: opening the data, building the network, counting, hashing.
        source: "earlier trials", "calibration", or "like ROW" for what was not measured.
        measured: steps (calibration) or trials (earlier trials) that it rests on.
    """

    train: Span
    test: float
    save: float
    rest: float
    source: str
    measured: int

    def seconds(self, recipe: Recipe, images: Images) -> Span:
        """Say how long training and testing of a trial take, as its record will have it."""
        size = min(recipe.batch_size, images.train)
        steps = recipe.steps(images.train // size)
        training = self.train.scaled(_full_images(recipe, steps, size, images))
        epochs = steps / (images.train // size)
        saves = _saves(training.mid, epochs)
        return training.scaled(1, plus=saves * self.save + images.test * self.test)


def _full_images(recipe: Recipe, steps: int, size: int, images: Images) -> float:
    """Return how many images of full size have the pixels that a training sees."""
    return steps * size * pixel_share(recipe, total=steps, full=images.side)


def _saves(training: float, epochs: float) -> float:
    """Count the checkpoints of a training that takes so many seconds."""
    epoch = training / epochs
    if epoch < MIN_SECONDS:
        return training / MIN_SECONDS
    return max(0.0, epochs - 1) + epochs * (epoch // MAX_SECONDS)


def spread(values: Iterable[float]) -> Span:
    """Give median and quartiles."""
    known = sorted(values)
    if len(known) < 3:
        return Span(median(known), known[0], known[-1])
    low, mid, high = quantiles(known, n=4, method="inclusive")
    return Span(mid, low, high)


def speed_key(trial: Mapping[str, Any]) -> str:
    """Name what decides how fast a trial goes; trials with one key differ in seed, length and rates at most.

    Args:
        trial: its canonical JSON.
    """
    network = {name: trial[name] for name in ("backbone", "variant", "plugins")}
    data = {name: trial["data"].get(name) for name in ("name", "path", "size")}
    recipe = {name: trial["recipe"].get(name) for name in SPEED_FIELDS}
    return json.dumps([network, data, recipe], sort_keys=True)


def count_images(spec: DataSpec, data_dir: Path) -> Images | None:
    """Count the images of a data set: as prepared, else as it is published; None where only the folder knows."""
    whole = whole_images(spec, data_dir)
    train, test = spec.train_images or (whole and whole.train), spec.test_images or (whole and whole.test)
    return Images(train, test, data_shape(spec).image_shape[1]) if train and test else None


def whole_images(spec: DataSpec, data_dir: Path) -> Images | None:
    """Count the images of the whole data set that a trial's are part of; None where only the folder knows."""
    path, known = prepared_path(spec, data_dir), dataset(spec.name)
    side = data_shape(spec).image_shape[1]
    if path.is_file():
        prepared = load(path)
        return Images(len(prepared.train_labels), len(prepared.test_labels), side)
    if known.train_images is None or known.test_images is None:
        return None
    return Images(known.train_images, known.test_images, side)


def earlier_speeds(
    trials: Iterable[Trial], results_dir: Path, environment: Mapping[str, Any], whole: Images
) -> dict[str, Speed]:
    """Find out from earlier records how fast trials go on this machine.

    Trials of this commit are preferred to those of others, as code changes speed; of many the newest are taken.

    Args:
        trials: of the kinds that are asked for.
        results_dir: where the studies' records are; those that cannot be read are passed over.
        environment: of this machine.
        whole: images of the whole data set.

    Returns:
        Speeds by speed key, of the kinds that earlier trials tell of.
    """
    wanted = {speed_key(trial.to_json()) for trial in trials}
    found: dict[str, dict[str, TrialRecord]] = defaultdict(dict)
    for path in sorted(results_dir.glob(f"*/{FILE_NAME}")):
        for line in _finished(path):
            key = _key_here(line, environment)
            if key in wanted:
                found[key][line.key] = line
    return {key: _speed(list(lines.values()), environment, whole) for key, lines in found.items()}


def _finished(path: Path) -> Iterable[TrialRecord]:
    try:
        return Record.load(path).finished.values()
    except UserError:
        return ()


def _key_here(line: TrialRecord, environment: Mapping[str, Any]) -> str:
    before, here = (
        {**said, **Kernels.from_record(said).to_json()} for said in (line.environment, environment)
    )
    if before.get("precision") == "bf16":
        here["winograd"] = False  # they are for fp32
    if any(before.get(name) != here.get(name) for name in SAME_MACHINE):
        return ""
    try:
        Recipe.model_validate(line.trial["recipe"])
        return speed_key(line.trial)
    except (KeyError, AttributeError, TypeError, ValueError):
        return ""  # of another version


def _speed(lines: list[TrialRecord], environment: Mapping[str, Any], whole: Images) -> Speed:
    here = [line for line in lines if line.environment.get("commit") == environment.get("commit")]
    newest = sorted(here or lines, key=lambda line: line.started)[-_NEWEST:]
    trained, tested, rests = [], [], []
    for line in newest:
        assert line.result is not None, "finished trials have results"
        images = _images_of(line, whole)
        recipe = Recipe.model_validate(line.trial["recipe"])
        size = min(recipe.batch_size, images.train)
        seen = _full_images(recipe, recipe.steps(images.train // size), size, images)
        trained.append(line.result.train_seconds / seen)
        tested.append(line.result.test_seconds / images.test)
        passed = datetime.fromisoformat(line.finished) - datetime.fromisoformat(line.started)
        rests.append(passed.total_seconds() - line.result.train_seconds - line.result.test_seconds)
    rest = max(0.0, median(rests) if len(rests) > 2 else mean(rests))
    return Speed(spread(trained), median(tested), 0.0, rest, "earlier trials", len(newest))


def _images_of(line: TrialRecord, whole: Images) -> Images:
    data = line.trial["data"]
    return Images(data.get("train_images") or whole.train, data.get("test_images") or whole.test, whole.side)
