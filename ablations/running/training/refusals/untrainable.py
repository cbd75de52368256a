"""Refusal of trainings that would fail: for want of a package, of images, or of what a recipe asks of a network."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping

from torch import Tensor

from ablations.errors import StudyError
from ablations.planning.choices.arms import extreme_rows
from ablations.planning.design import Design
from ablations.planning.networks.row import NetworkRow, network_rows
from ablations.running.training.building import why_unfit
from ablations.running.training.networks import data_shape
from ablations.running.training.optimizers import check_installed
from ablations.running.training.pretrained import find_state
from ablations.running.training.refusals.small_images import refuse_small_images
from senet_core.errors import UserError


def refuse_untrainable(design: Design) -> None:
    """Refuse a study with a recipe that cannot be trained here, be it of a row or one that a choice may come to.

    Raises:
        StudyError: images are too small for the data or a network, or a network lacks what a recipe asks for.
        ToolMissing: an optimiser's package is not installed.
    """
    known: dict[Hashable, str] = {}
    states: dict[str, Mapping[str, Tensor] | None] = {}
    for row in possible_rows(design):
        recipe = row.recipe
        check_installed(recipe.optimizer)
        asks = (recipe.dropout > 0, recipe.stochastic_depth > 0, recipe.freeze, recipe.weights)
        in_channels = data_shape(row.data).image_shape[0]
        kind = (row.backbone, None if recipe.weights is None else row.variant, in_channels, *asks)
        if kind not in known:
            known[kind] = _problem(row, in_channels, states)
        if known[kind]:
            raise StudyError(f"study {design.study.name!r}, row {row.label!r}: {known[kind]}")
    refuse_small_images(design)


def possible_rows(design: Design) -> Iterator[NetworkRow]:
    """Yield the rows of a study and those that its choices may come to."""
    yield from network_rows((*design.rows, *extreme_rows(design)))


def _problem(row: NetworkRow, in_channels: int, states: dict[str, Mapping[str, Tensor] | None]) -> str:
    weights = row.recipe.weights
    try:
        if weights is not None and weights not in states:
            states[weights] = find_state(weights)
    except UserError as error:
        return str(error)
    state = None if weights is None else states[weights]
    return why_unfit(row.backbone, row.variant, row.recipe, in_channels=in_channels, weights=state)
