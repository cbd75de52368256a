"""Design: a study becomes its cells, and its cells the trials. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from typing import Any

from pydantic import ValidationError

from ablations.plan.covering import covering_rows
from ablations.plan.explain import explain
from ablations.plan.labels import distinct_labels, number_text
from ablations.plan.limits import check_batches, check_size
from ablations.plan.recipe import Recipe
from ablations.plan.study import CONFIRM_FROM, REPEAT, VARIANT_AXES, Study
from ablations.plan.trial import DataSpec, Trial, known_train_images
from ablations.plan.used_plugins import used_plugins
from senet_core.backbones import find_backbone
from senet_core.errors import UserError, unknown
from senet_core.variant import SEVariant
from senet_core.variant_text import variant_fields, variant_label

NOT_VARIED = "-"
REPEAT_STRIDE = 10_000
"""Repeat k of a row is trained with the seeds s + k * REPEAT_STRIDE."""


@dataclass(frozen=True)
class Cell:
    """One row of a study: a network and a recipe, to be trained with every seed.

    Attributes:
        label: unique in its study; "plain", "SE", "SE r=8".
        axis: the axis on which it differs from the baseline (one-factor); None for the baseline, the plain network
            and the cells of a grid.
        values: every axis of the study, with this cell's value as text; "-" where the axis does not apply.
        repeat: 0, or which repeat of the same network and recipe with seeds of its own this is.
    """

    label: str
    axis: str | None
    values: tuple[tuple[str, str], ...]
    backbone: str
    variant: SEVariant | None
    data: DataSpec
    recipe: Recipe
    plugins: tuple[tuple[str, str], ...] = ()
    repeat: int = 0

    def trial(self, seed: int) -> Trial:
        """Return the trial of this cell with a seed of the study."""
        own = seed + self.repeat * REPEAT_STRIDE
        return Trial(self.backbone, self.variant, self.data, self.recipe, own, self.plugins)

    @property
    def network(self) -> tuple[Any, ...]:
        """What makes two cells the same question."""
        return (self.backbone, self.variant, self.recipe, self.repeat)


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

    @property
    def confirm_seeds(self) -> tuple[int, ...]:
        """The fresh seeds on which the best row is measured again."""
        return tuple(range(CONFIRM_FROM, CONFIRM_FROM + self.study.confirm))

    @property
    def varies_alone(self) -> bool:
        """Whether each axis is varied alone around the baseline."""
        return self.study.design in ("one-factor", "race")

    @cached_property
    def by_key(self) -> Mapping[str, tuple[Cell, Trial]]:
        """Every trial that the study may come to train, by key, seed by seed."""
        seeds = (*self.seeds, *self.confirm_seeds)
        pairs = ((cell, cell.trial(seed)) for seed in seeds for cell in self.cells)
        return {trial.key: (cell, trial) for cell, trial in pairs}

    @cached_property
    def trials(self) -> tuple[Trial, ...]:
        """Every planned trial once, seed by seed, so that an interrupted sweep leaves comparable rows.

        A race trains as many of them as it needs.
        """
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
        UserError: a value does not fit its axis or backbone, two values of an axis are the same network, or a batch
            is larger than the training data, where their number is known before they are read.
    """
    check_size(study)
    start = _start(study)
    points: dict[str, list[tuple[str, _Point]]] = {
        axis: [_moved(study, start, axis, value) for value in values] for axis, values in study.axes.items()
    }
    for axis, moved in points.items():
        _refuse_duplicates(study, axis, moved)
    if REPEAT in study.axes and max(study.seeds) >= REPEAT_STRIDE:
        raise UserError(
            f"study {study.name!r}: with the axis {REPEAT!r}, seeds must be below {REPEAT_STRIDE}"
        )
    base = _cell(study, start, axis=None)
    plain = None
    if study.include_plain and study.baseline.variant is not None:
        plain = _cell(study, replace(start, variant=None), axis=None)
    most = max((v for v in study.axes.get(REPEAT, ()) if isinstance(v, int)), default=0)
    if study.confirm and most * REPEAT_STRIDE >= CONFIRM_FROM:
        raise UserError(
            f"study {study.name!r}: with confirm, repeats must be below {CONFIRM_FROM // REPEAT_STRIDE}, got {most}"
        )
    cells = {cell.network: cell for cell in (base, plain) if cell is not None}
    axes: list[tuple[str, tuple[Cell, ...]]] = []
    if study.design in ("grid", "pairwise"):
        for cell in _combinations(study, start, points):
            cells.setdefault(cell.network, cell)
    else:
        for axis, moved in points.items():
            row = [cells.setdefault(point.network, _cell(study, point, axis=axis)) for _, point in moved]
            axes.append((axis, tuple(row if base in row else [base, *row])))
    named = distinct_labels(tuple(cells.values()))
    rows = tuple((axis, tuple(named[cell.network] for cell in row)) for axis, row in axes)
    _refuse_small_budget(study, len(named))
    train_images = known_train_images(study.baseline.data)
    if train_images is not None:
        check_batches(study, named.values(), train_images)
    return Design(study, tuple(named.values()), named[base.network], plain and named[plain.network], rows)


@dataclass(frozen=True)
class _Point:
    backbone: str
    variant: SEVariant | None
    recipe: Recipe
    repeat: int = 0

    @property
    def network(self) -> tuple[Any, ...]:
        variant = find_backbone(self.backbone).variant(self.variant)
        return (self.backbone, variant, self.recipe, self.repeat)


def _start(study: Study) -> _Point:
    """Return the baseline; what does not fit there is no axis's fault."""
    start = _Point(study.baseline.backbone, study.baseline.variant, study.recipe)
    try:
        _ = start.network
    except UserError as error:
        raise UserError(f"study {study.name!r}: baseline: {error}") from error
    return start


def _moved(study: Study, start: _Point, axis: str, value: object) -> tuple[str, _Point]:
    """Move a point along an axis; returns the value as text and the point."""
    try:
        point = _move(start, axis, value)
        return _text(point, axis), point
    except ValidationError as error:
        raise UserError(f"study {study.name!r}: axis {axis!r}: {explain(error)}") from error
    except UserError as error:
        raise UserError(f"study {study.name!r}: axis {axis!r}: {error}") from error


def _move(start: _Point, axis: str, value: object) -> _Point:
    if axis == "backbone":
        if not isinstance(value, str):
            raise UserError(f"a backbone is given by its name, got {value!r}")
        point = replace(start, backbone=value)
    elif axis == REPEAT:
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise UserError(f"a repeat is a whole number from 0, got {value!r}")
        point = replace(start, repeat=value)
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
    if axis == REPEAT:
        return str(point.repeat)
    if axis in VARIANT_AXES:
        if point.variant is None:
            return NOT_VARIED
        return variant_fields(find_backbone(point.backbone).variant(point.variant))[axis]
    value = getattr(point.recipe, axis.removeprefix("recipe."))
    return number_text(value) if isinstance(value, float) else str(value)


def _refuse_duplicates(study: Study, axis: str, moved: list[tuple[str, _Point]]) -> None:
    seen: dict[Any, str] = {}
    for text, point in moved:
        if point.network in seen:
            raise UserError(f"study {study.name!r}: axis {axis!r} has the value {text!r} twice")
        seen[point.network] = text


def _refuse_small_budget(study: Study, rows: int) -> None:
    budget, least = study.race.budget, rows * study.race.first
    if budget is not None and budget < least:
        raise UserError(
            f"study {study.name!r}: race.budget is {budget} trials, and the first look needs {least}: {rows} rows with"
            f" {study.race.first} seeds each"
        )


def _combinations(
    study: Study, start: _Point, points: Mapping[str, Sequence[tuple[str, _Point]]]
) -> list[Cell]:
    """Combine the values of all axes: every way (grid), or so that any two meet at least once (pairwise)."""
    sizes = [len(values) for values in study.axes.values()]
    rows = product(*map(range, sizes)) if study.design == "grid" else _covering(start, points, sizes)
    cells = []
    for row in rows:
        point = start
        for (axis, values), level in zip(study.axes.items(), row, strict=True):
            _, point = _moved(study, point, axis, values[level])
        cells.append(_cell(study, point, axis=None))
    return cells


def _covering(
    start: _Point, points: Mapping[str, Sequence[tuple[str, _Point]]], sizes: Sequence[int]
) -> list[tuple[int, ...]]:
    """Begin with the baseline, where its values are among those of the axes: it is trained in any case."""
    places = [[point.network for _, point in moved] for moved in points.values()]
    has_baseline = all(start.network in networks for networks in places)
    return covering_rows(
        sizes, [networks.index(start.network) for networks in places] if has_baseline else None
    )


def _cell(study: Study, point: _Point, *, axis: str | None) -> Cell:
    backbone, variant, recipe, repeat = point.network
    return Cell(
        label=_label(study, point),
        axis=axis,
        values=tuple((name, _text(point, name)) for name in study.axes),
        backbone=backbone,
        variant=variant,
        data=study.baseline.data,
        recipe=recipe,
        plugins=used_plugins(backbone, variant),
        repeat=repeat,
    )


def _label(study: Study, point: _Point) -> str:
    backbone, variant, _, repeat = point.network
    words = [variant_label(variant)]
    if "backbone" in study.axes:
        words.append(backbone)
    words += [
        f"{axis.removeprefix('recipe.')}={_text(point, axis)}"
        for axis in study.axes
        if axis.startswith("recipe.")
    ]
    words += [f"repeat {repeat}"] if repeat else []
    return " ".join(words)
