"""Refusal of trainings that would fail: for want of a package, of images, or of what a recipe changes in a network."""

from __future__ import annotations

from collections.abc import Iterator

from ablations.errors import StudyError
from ablations.planning.choices.arms import arms_of, extreme_rows
from ablations.planning.choices.space import SearchSpace
from ablations.planning.design import Design
from ablations.planning.row import Row
from ablations.running.sweep.small_images import refuse_small_images
from ablations.running.training.building import why_unfit
from ablations.running.training.optimizers import check_installed


def refuse_untrainable(design: Design) -> None:
    """Refuse a study with a recipe that cannot be trained here, be it of a row or one that a choice may come to.

    Raises:
        StudyError: images are too small for the data or a network, or a backbone lacks what a recipe asks for.
        ToolMissing: an optimiser's package is not installed.
    """
    known: dict[tuple[str, bool, bool], str] = {}
    for row in _possible_rows(design):
        recipe = row.recipe
        check_installed(recipe.optimizer)
        kind = (row.backbone, recipe.dropout > 0, recipe.stochastic_depth > 0)
        if kind not in known:
            known[kind] = why_unfit(row.backbone, recipe)
        if known[kind]:
            raise StudyError(f"study {design.study.name!r}, row {row.label!r}: {known[kind]}")
    refuse_small_images(design)


def _possible_rows(design: Design) -> Iterator[Row]:
    yield from design.rows
    yield from extreme_rows(design)
    for arm in arms_of(design):
        if isinstance(arm.space, SearchSpace):
            yield from map(arm.space.row, arm.space.pairs)
