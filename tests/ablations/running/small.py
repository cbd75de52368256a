"""A study small enough to be trained in a test, and what it needs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from ablations.planning.design import Design, design
from ablations.planning.networks.data_spec import DataSpec
from ablations.planning.networks.recipe import Recipe
from ablations.planning.networks.trial import NetworkTrial
from ablations.planning.row import Row
from ablations.planning.study_file import parse_study
from ablations.running.data import Prepared
from ablations.running.record.image_labels import ImageLabels
from ablations.running.record.trial_record import TrialRecord
from ablations.running.sweep.values import Running
from ablations.running.trials.inputs import InputData, Inputs
from senet_core.variants.variant import PAPER_SE, SEVariant

RECIPE = Recipe(epochs=2, batch_size=32, lr=0.05, pad=1, flip=True, precision="fp32")
DATA = DataSpec(name="digits", train_images=80, test_images=40)


def of_digits(digest: str, *labels: ImageLabels) -> Inputs:
    """Return what the trials of small studies read."""
    return Inputs({"digits": InputData(digest, labels=labels)})


def small_trial(variant: SEVariant | None = PAPER_SE, seed: int = 0, **recipe: Any) -> NetworkTrial:
    """A trial of a second or less."""
    changed = Recipe.model_validate({**RECIPE.model_dump(), **recipe})
    return NetworkTrial("resnet8", variant, DATA, changed, seed)


def small_study(name: str = "small", **fields: Any) -> Design:
    """A study of three rows and two seeds."""
    content: dict[str, Any] = {
        "name": name,
        "title": "Small",
        "question": "Does it work?",
        "baseline": {"backbone": "resnet8", "variant": "se:reduction=8", "data": DATA.model_dump()},
        "recipe": RECIPE.model_dump(),
        "axes": {"squeeze": ["avg", "max"]},
        "seeds": 2,
    }
    return design(parse_study({**content, **fields}))


def sixteen_pixels() -> Prepared:
    """Random images of 16 x 16 pixels in ten classes, 80 to train and the same to test on."""
    images = torch.randint(
        256, (80, 16, 16, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    )
    labels = torch.arange(80) % 10
    names, grey = tuple("0123456789"), (127.5,) * 3
    return Prepared("random", images, labels, images, labels, names, grey, grey, "", "", "", Path())


class Watcher:
    """A display that remembers."""

    def __init__(self) -> None:
        self.begun: list[tuple[int, int, int]] = []
        self.ended: list[tuple[str, str]] = []
        self.said: list[str] = []
        self.extended: list[tuple[int, int]] = []

    def begin(self, total: int, done: int, shared: int) -> None:
        self.begun.append((total, done, shared))

    def extend(self, total: int, more: int) -> None:
        self.extended.append((total, more))

    def say(self, message: str) -> None:
        self.said.append(message)

    def update(self, running: Sequence[Running]) -> None:
        pass

    def finished(self, row: Row, record: TrialRecord) -> None:
        self.ended.append((row.label, record.status))


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute in one thread, as workers do: the order of a sum depends on their number."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def folder(path: Path) -> Path:
    """Make a folder and return it."""
    path.mkdir(parents=True, exist_ok=True)
    return path
