"""Refusal of trainings that would fail: for want of a package, or of images that the network can take."""

from __future__ import annotations

from collections.abc import Iterator

from ablations.planning.design import Design
from ablations.running.sweep.small_images import refuse_small_images
from ablations.running.training.optimizers import check_installed


def refuse_untrainable(design: Design) -> None:
    """Refuse a study with a recipe that cannot be trained here.

    Raises:
        StudyError: images are too small for the data or a network.
        ToolMissing: an optimiser's package is not installed.
    """
    for optimizer in dict.fromkeys(_optimizers(design)):
        check_installed(optimizer)
    refuse_small_images(design)


def _optimizers(design: Design) -> Iterator[str]:
    """Yield the optimisers of the rows, and those that a choice may take."""
    study = design.study
    yield from (row.recipe.optimizer for row in design.rows)
    yield from study.axes.get("recipe.optimizer", ())
    if study.tune is not None and "optimizer" in study.tune.ranges:
        yield from study.tune.ranges["optimizer"].choices
