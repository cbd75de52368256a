"""Design: a study becomes its cells, and its cells the trials. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from typing import Any

from pydantic import ValidationError

from ablations.plan.recipe import Recipe
from ablations.plan.study import VARIANT_AXES, Study
from ablations.plan.trial import DataSpec, Trial
from senet_core.backbones import find_backbone
from senet_core.errors import UserError, unknown
from senet_core.slots import SLOTS
from senet_core.variant import SEVariant
from senet_core.variant_text import variant_label

NOT_VARIED = "-"


@dataclass(frozen=True)
class Cell:
    """One row of a study: a network and a recipe, to be trained with every seed.

    Attributes:
        label: unique in its study; "plain", "SE", "SE r=8".
        axis: the axis on which it differs from the baseline (one-factor); None for the baseline, the plain network
            and the cells of a grid.
        values: every axis of the study, with this cell's value as text; "-" where the axis does not apply.
    """

    label: str
    axis: str | None
    values: tuple[tuple[str, str], ...]
    backbone: str
    variant: SEVariant | None
    data: DataSpec
    recipe: Recipe
    plugins: tuple[tuple[str, str], ...] = ()

    def trial(self, seed: int) -> Trial:
        """Return the trial of this cell with a seed."""
        return Trial(self.backbone, self.variant, self.data, self.recipe, seed, self.plugins)

    @property
    def network(self) -> tuple[Any, ...]:
        """What makes two cells the same question."""
        return (self.backbone, self.variant, self.recipe)


@dataclass(frozen=True)
class Design:
    """A study, unfolded.

    Attributes:
        study: what was asked.
        cells: every row once; the baseline first, then the plain network, then the axes in the study's order.
        baseline: what the others are compared with.
        plain: the network without SE, where the study includes it.
    """

    study: Study
    cells: tuple[Cell, ...]
    baseline: Cell
    plain: Cell | None
    _axes: tuple[tuple[str, tuple[Cell, ...]], ...]

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds that every cell is trained with."""
        return self.study.seeds

    @cached_property
    def trials(self) -> tuple[Trial, ...]:
        """Every trial once, seed by seed, so that an interrupted sweep leaves comparable rows."""
        return tuple(cell.trial(seed) for seed in self.seeds for cell in self.cells)

    def on_axis(self, axis: str) -> tuple[Cell, ...]:
        """Return the cells along one axis in the study's order, the baseline at its place among them."""
        return dict(self._axes)[axis]

    def only(self, labels: Sequence[str]) -> Design:
        """Return the design reduced to the rows with these labels; what they are compared with stays known.

        Raises:
            UserError: no row has one of the labels.
        """
        known = [cell.label for cell in self.cells]
        for label in labels:
            if label not in known:
                raise unknown("row", label, known)
        return replace(self, cells=tuple(cell for cell in self.cells if cell.label in labels))


def design(study: Study) -> Design:
    """Unfold a study into cells.

    Raises:
        UserError: a value does not fit its axis or backbone, or two values of an axis are the same network.
    """
    start = _Point(study.baseline.backbone, study.baseline.variant, study.recipe)
    points: dict[str, list[tuple[str, _Point]]] = {
        axis: [_moved(study, start, axis, value) for value in values] for axis, values in study.axes.items()
    }
    for axis, moved in points.items():
        _refuse_duplicates(study, axis, moved)
    base = _cell(study, start, axis=None)
    plain = None
    if study.include_plain and study.baseline.variant is not None:
        plain = _cell(study, replace(start, variant=None), axis=None)
    cells = {cell.network: cell for cell in (base, plain) if cell is not None}
    axes: list[tuple[str, tuple[Cell, ...]]] = []
    if study.design == "grid":
        for cell in _grid(study, start):
            cells.setdefault(cell.network, cell)
    else:
        for axis, moved in points.items():
            row = [cells.setdefault(point.network, _cell(study, point, axis=axis)) for _, point in moved]
            axes.append((axis, tuple(row if base in row else [base, *row])))
    return Design(study, tuple(cells.values()), base, plain, tuple(axes))


@dataclass(frozen=True)
class _Point:
    backbone: str
    variant: SEVariant | None
    recipe: Recipe

    @property
    def network(self) -> tuple[Any, ...]:
        variant = find_backbone(self.backbone).variant(self.variant)
        return (self.backbone, variant, self.recipe)


def _moved(study: Study, start: _Point, axis: str, value: object) -> tuple[str, _Point]:
    """Move a point along an axis; returns the value as text and the point."""
    try:
        point = _move(start, axis, value)
        return _text(point, axis), point
    except ValidationError as error:
        from ablations.plan.study_file import explain

        raise UserError(f"study {study.name!r}: axis {axis!r}: {explain(error)}") from error
    except UserError as error:
        raise UserError(f"study {study.name!r}: axis {axis!r}: {error}") from error


def _move(start: _Point, axis: str, value: object) -> _Point:
    if axis == "backbone":
        if not isinstance(value, str):
            raise UserError(f"a backbone is given by its name, got {value!r}")
        point = replace(start, backbone=value)
    elif axis in VARIANT_AXES and start.variant is not None:
        changed: dict[str, Any] = {axis: value}
        point = replace(start, variant=replace(start.variant, **changed))
    else:
        field = axis.removeprefix("recipe.")
        fields = {**start.recipe.model_dump(), field: value}
        point = replace(start, recipe=Recipe.model_validate(fields))
    _ = point.network  # an unknown backbone, or a stage that it lacks, is refused here
    return point


def _text(point: _Point, axis: str) -> str:
    if axis == "backbone":
        return point.backbone
    if axis in VARIANT_AXES:
        if point.variant is None:
            return NOT_VARIED
        from senet_core.variant_text import variant_text

        normal = find_backbone(point.backbone).variant(point.variant)
        fields = dict(part.split("=") for part in variant_text(normal).removeprefix("se:").split(","))
        return fields[axis]
    value = getattr(point.recipe, axis.removeprefix("recipe."))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _refuse_duplicates(study: Study, axis: str, moved: list[tuple[str, _Point]]) -> None:
    seen: dict[Any, str] = {}
    for text, point in moved:
        if point.network in seen:
            raise UserError(f"study {study.name!r}: axis {axis!r} has the value {text!r} twice")
        seen[point.network] = text


def _grid(study: Study, start: _Point) -> list[Cell]:
    cells = []
    for values in product(*study.axes.values()):
        point = start
        for axis, value in zip(study.axes, values, strict=True):
            _, point = _moved(study, point, axis, value)
        cells.append(_cell(study, point, axis=None))
    return cells


def _cell(study: Study, point: _Point, *, axis: str | None) -> Cell:
    backbone, variant, recipe = point.network
    return Cell(
        label=_label(study, point),
        axis=axis,
        values=tuple((name, _text(point, name)) for name in study.axes),
        backbone=backbone,
        variant=variant,
        data=study.baseline.data,
        recipe=recipe,
        plugins=_plugins(variant),
    )


def _label(study: Study, point: _Point) -> str:
    backbone, variant, _ = point.network
    words = [variant_label(variant)]
    if "backbone" in study.axes:
        words.append(backbone)
    words += [
        f"{axis.removeprefix('recipe.')}={_text(point, axis)}"
        for axis in study.axes
        if axis.startswith("recipe.")
    ]
    return " ".join(words)


def _plugins(variant: SEVariant | None) -> tuple[tuple[str, str], ...]:
    if variant is None:
        return ()
    used: Mapping[str, str] = {slot: getattr(variant, slot) for slot in SLOTS}
    return tuple(
        (f"{slot}:{name}", SLOTS[slot][name].origin.digest)
        for slot, name in sorted(used.items())
        if SLOTS[slot][name].origin.digest
    )
