"""Design: a study becomes its cells, and its cells the trials. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from typing import Any

from ablations.planning.choices.space import search_space
from ablations.planning.designs.covering import covering_rows
from ablations.planning.labels import distinct_labels
from ablations.planning.limits import check_batches, check_size
from ablations.planning.points import Point, cell_at, moved, start_of
from ablations.planning.row import REPEAT_STRIDE, Cell
from ablations.planning.study import CONFIRM_FROM, REPEAT, Study
from ablations.planning.trial import Trial, known_train_images
from senet_core.errors import UserError, unknown


@dataclass(frozen=True)
class Design:
    """A study, unfolded.

    Attributes:
        study: what was asked.
        cells: every row once; the baseline first, then the plain network, then the axes in the study's order.
        baseline: what the others are compared with.
        plain: the network without SE, where the study includes it.
        besides: trials that belong to the study beside those of its rows, once it has chosen: the proposals of the
            choice, and a tuned study's rows with the study's own recipe.
        undecided: labels of rows that wait for a choice, and have no trials yet.
        settled: whether its rows are those that its choices have led to (ablations/analysis/results/selection.py).
        untouched: the design as it was before that; None where it is.
    """

    study: Study
    cells: tuple[Cell, ...]
    baseline: Cell
    plain: Cell | None
    _axes: tuple[tuple[str, tuple[Cell, ...]], ...]
    besides: tuple[tuple[Cell, Trial], ...] = ()
    undecided: frozenset[str] = frozenset()
    settled: bool = False
    untouched: Design | None = None

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
        return self.study.design in ("one-factor", "race", "tuned")

    @cached_property
    def by_key(self) -> Mapping[str, tuple[Cell, Trial]]:
        """Every trial that the study may come to train, by key, seed by seed."""
        seeds = (*self.seeds, *self.confirm_seeds)
        pairs = ((cell, cell.trial(seed)) for seed in seeds for cell in self._decided)
        return {trial.key: (cell, trial) for cell, trial in (*self.besides, *pairs)}

    @cached_property
    def trials(self) -> tuple[Trial, ...]:
        """Every planned trial once, seed by seed, so that an interrupted sweep leaves comparable rows.

        A race trains as many of them as it needs.
        """
        return tuple(cell.trial(seed) for seed in self.seeds for cell in self._decided)

    @property
    def _decided(self) -> tuple[Cell, ...]:
        return tuple(cell for cell in self.cells if cell.label not in self.undecided)

    def with_rows(
        self, rows: Mapping[str, Cell], besides: Iterable[tuple[Cell, Trial]], undecided: Iterable[str]
    ) -> Design:
        """Return the design with other recipes in its rows, each under its own label.

        Args:
            rows: by label, every one.
            besides: as the attribute.
            undecided: as the attribute.
        """
        return replace(
            self,
            cells=tuple(rows[cell.label] for cell in self.cells),
            baseline=rows[self.baseline.label],
            plain=self.plain and rows[self.plain.label],
            _axes=tuple((axis, tuple(rows[cell.label] for cell in cells)) for axis, cells in self._axes),
            besides=tuple(besides),
            undecided=frozenset(undecided),
            settled=True,
            untouched=self,
        )

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
    start = start_of(study)
    points: dict[str, list[tuple[str, Point]]] = {
        axis: [moved(study, start, axis, value) for value in values] for axis, values in study.axes.items()
    }
    for axis, values in points.items():
        _refuse_duplicates(study, axis, values)
    if REPEAT in study.axes and max(study.seeds) >= REPEAT_STRIDE:
        raise UserError(
            f"study {study.name!r}: with the axis {REPEAT!r}, seeds must be below {REPEAT_STRIDE}"
        )
    base = cell_at(study, start, axis=None)
    plain = None
    if study.include_plain and study.baseline.variant is not None:
        plain = cell_at(study, replace(start, variant=None), axis=None)
    most = max((v for v in study.axes.get(REPEAT, ()) if isinstance(v, int)), default=0)
    if study.confirm and most * REPEAT_STRIDE >= CONFIRM_FROM:
        raise UserError(
            f"study {study.name!r}: with confirm, repeats must be below {CONFIRM_FROM // REPEAT_STRIDE}, got {most}"
        )
    cells = {cell.network: cell for cell in (base, plain) if cell is not None}
    axes: list[tuple[str, tuple[Cell, ...]]] = []
    if study.design == "search":
        _ = search_space(study)
    elif study.design in ("grid", "pairwise"):
        for cell in _combinations(study, start, points):
            cells.setdefault(cell.network, cell)
    else:
        for axis, values in points.items():
            row = [cells.setdefault(point.network, cell_at(study, point, axis=axis)) for _, point in values]
            axes.append((axis, tuple(row if base in row else [base, *row])))
    named = distinct_labels(tuple(cells.values()))
    rows = tuple((axis, tuple(named[cell.network] for cell in row)) for axis, row in axes)
    _refuse_small_budget(study, len(named))
    chooses = study.tune or study.search
    data = study.baseline.data
    train_images = known_train_images(
        data if chooses is None else data.for_choosing(chooses.validation_images)
    )
    if train_images is not None:
        check_batches(study, named.values(), train_images)
    return Design(study, tuple(named.values()), named[base.network], plain and named[plain.network], rows)


def _refuse_duplicates(study: Study, axis: str, values: list[tuple[str, Point]]) -> None:
    seen: dict[Any, str] = {}
    for text, point in values:
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
    study: Study, start: Point, points: Mapping[str, Sequence[tuple[str, Point]]]
) -> list[Cell]:
    """Combine the values of all axes: every way (grid), or so that any two meet at least once (pairwise)."""
    sizes = [len(values) for values in study.axes.values()]
    rows = product(*map(range, sizes)) if study.design == "grid" else _covering(start, points, sizes)
    cells = []
    for row in rows:
        point = start
        for (axis, values), level in zip(study.axes.items(), row, strict=True):
            _, point = moved(study, point, axis, values[level])
        cells.append(cell_at(study, point, axis=None))
    return cells


def _covering(
    start: Point, points: Mapping[str, Sequence[tuple[str, Point]]], sizes: Sequence[int]
) -> list[tuple[int, ...]]:
    """Begin with the baseline, where its values are among those of the axes: it is trained in any case."""
    places = [[point.network for _, point in values] for values in points.values()]
    has_baseline = all(start.network in networks for networks in places)
    return covering_rows(
        sizes, [networks.index(start.network) for networks in places] if has_baseline else None
    )
