"""Design: a study becomes its rows, and its rows the trials. Pure."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from ablations.errors import StudyError
from ablations.planning.designs import DesignKind
from ablations.planning.designs.kind import CONFIRM_FROM
from ablations.planning.designs.tuned import REPEAT
from ablations.planning.labels import distinct_labels
from ablations.planning.limits import check_size
from ablations.planning.naming import named_rows
from ablations.planning.points import PointOfStudy, Points
from ablations.planning.row import REPEAT_STRIDE, Row
from ablations.planning.study import Study
from ablations.planning.study_points import points_of
from ablations.planning.study_spaces import search_space_of, tune_space_of
from ablations.planning.trial import Trial
from senet_core.errors import unknown


@dataclass(frozen=True)
class Design:
    """A study, unfolded; immutable, and without any state of a run.

    Attributes:
        study: what was asked.
        rows: every row once; the baseline first, then the plain network, then the axes in the study's order; with
            several tasks, those of the first task first.
        baseline: what the others are compared with, on the first task.
        plain: the network without SE, where the study includes it, on the first task.
    """

    study: Study
    rows: tuple[Row, ...]
    baseline: Row
    plain: Row | None
    _axes: tuple[tuple[str, tuple[Row, ...]], ...]
    _tasks: tuple[Design, ...] = ()

    @property
    def kind(self) -> DesignKind:
        """The kind of design."""
        return self.study.kind

    @property
    def tasks(self) -> tuple[Design, ...]:
        """The design on each of its tasks, with the baseline there; itself where there is one task only."""
        return self._tasks or (self,)

    @property
    def baselines(self) -> Mapping[str, Row]:
        """What a row is compared with, by the row's label: the baseline on the task of the row."""
        return {row.label: part.baseline for part in self.tasks for row in (part.baseline, *part.rows)}

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """The labels of every other row and of the baseline that it is compared with."""
        found = ((label, base.label) for label, base in self.baselines.items())
        return tuple((label, base) for label, base in found if label != base)

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds that every row is trained with."""
        return self.study.seeds

    @property
    def confirm_seeds(self) -> tuple[int, ...]:
        """The fresh seeds on which the best row is measured again."""
        return tuple(range(CONFIRM_FROM, CONFIRM_FROM + self.study.confirm))

    @cached_property
    def by_key(self) -> Mapping[str, tuple[Row, Trial]]:
        """Every trial that the rows may come to, by key, seed by seed."""
        seeds = (*self.seeds, *self.confirm_seeds)
        pairs = ((row, row.trial(seed)) for seed in seeds for row in self.rows)
        return {trial.key: (row, trial) for row, trial in pairs}

    @cached_property
    def trials(self) -> tuple[Trial, ...]:
        """Every planned trial once, seed by seed, so that an interrupted sweep leaves comparable rows.

        A race trains as many of them as it needs.
        """
        return tuple(row.trial(seed) for seed in self.seeds for row in self.rows)

    @cached_property
    def families(self) -> tuple[tuple[str | None, tuple[Row, ...]], ...]:
        """The rows of each table, which are compared with the baseline, with the table's axis.

        The plain network comes first where the study has one; the axis is None where one table shows every row.
        """
        if not self._axes:
            return ((None, self._table(self.rows)),)
        return tuple((axis, self._table(rows)) for axis, rows in self._axes)

    def on_axis(self, axis: str) -> tuple[Row, ...]:
        """Return the rows along one axis in the study's order, the baseline at its place among them."""
        return dict(self._axes)[axis]

    def only(self, labels: Sequence[str]) -> Design:
        """Return the design reduced to the rows with these labels; what they are compared with stays known.

        Raises:
            UserError: no row has one of the labels.
        """
        known = [row.label for row in self.rows]
        for label in labels:
            if label not in (*known, *(row.unnamed for row in self.rows if row.unnamed)):
                raise unknown("row", label, known)
        return self._only(labels)

    def _only(self, labels: Sequence[str]) -> Design:
        kept = tuple(row for row in self.rows if row.label in labels or row.unnamed in labels)
        parts = tuple(part._only(labels) for part in self._tasks)
        return replace(self, rows=kept, _tasks=tuple(part for part in parts if part.rows))

    def with_rows(self, rows: Mapping[str, Row]) -> Design:
        """Return the design with other recipes in its rows, each under its own label.

        Args:
            rows: by label, those that change.
        """
        new = {row.label: rows.get(row.label, row) for row in self.rows}
        return replace(
            self,
            rows=tuple(new.values()),
            baseline=new[self.baseline.label],
            plain=self.plain and new[self.plain.label],
            _axes=tuple((axis, tuple(new[row.label] for row in rows)) for axis, rows in self._axes),
            _tasks=tuple(part.with_rows(rows) for part in self._tasks),
        )

    def with_winners(self, winners: Iterable[Row]) -> Design:
        """Return a search's design once it has chosen: baseline, plain network and winners, on fresh seeds."""
        rows = {row.identity: row for row in (*self.rows, *winners)}
        named = distinct_labels(tuple(rows.values()))
        return replace(
            self,
            study=self.study.model_copy(update={"seeds": self.confirm_seeds, "confirm": 0}),
            rows=tuple(named.values()),
            baseline=named[self.baseline.identity],
            plain=self.plain and named[self.plain.identity],
        )

    def _table(self, rows: Iterable[Row]) -> tuple[Row, ...]:
        plain = [] if self.plain is None else [self.plain]
        rows = [*plain, *(row for row in rows if row not in plain)]
        return tuple(rows if self.baseline in rows else [*rows, self.baseline])


def design(study: Study) -> Design:
    """Unfold a study into rows.

    Raises:
        StudyError: a value does not fit its axis or backbone, two values of an axis are the same network, a label
            names no row, or a batch is larger than the training data, where their number is known before they are read.
    """
    points = points_of(study)
    tasks = points.tasks()
    check_size(study, len(tasks))
    _check_repeats(study)
    parts = [_on_task(study, points, task) for task in tasks]
    if study.search is not None:
        _ = search_space_of(study)
    if study.tune is not None:
        _ = tune_space_of(study, parts[0].baseline)
    named = named_rows(study, distinct_labels([row for part in parts for row in part.rows]))
    _refuse_small_budget(study, len(named))
    points.check(named.values())
    one, *others = (_with_names(part, named) for part in parts)
    if not others:
        return replace(one, study=study)
    return replace(one, study=study, rows=tuple(named.values()), _axes=(), _tasks=(one, *others))


def _on_task(study: Study, points: Points, task: str) -> Design:
    """Return the rows of one task, as their values label them."""
    start = points.on_task(task)
    along = {
        axis: [points.moved(start, axis, value) for value in values] for axis, values in study.varied.items()
    }
    for axis, values in along.items():
        _refuse_duplicates(study, axis, values)
    without = points.plain(start)
    base = _labelled(study, points.row(start, axis=None), ())
    plain = None if without is None else _on_its_task(points.row(without, axis=None))
    rows = {row.identity: row for row in (base, plain) if row is not None}
    alone: dict[str, list[Row]] = {axis: [] for axis in along} if study.kind.varies_alone else {}
    for varied, row in _rows(study, points, start, along):
        kept = rows.setdefault(row.identity, row)
        if varied is not None:
            alone[varied].append(kept)
    axes = tuple((axis, tuple(rows if base in rows else [base, *rows])) for axis, rows in alone.items())
    return Design(study.of_task(task), tuple(rows.values()), base, plain, axes)


def _with_names(part: Design, named: Mapping[Hashable, Row]) -> Design:
    """Return the rows of a task under the names that they have in the whole study."""
    return replace(
        part,
        rows=tuple(named[row.identity] for row in part.rows),
        baseline=named[part.baseline.identity],
        plain=part.plain and named[part.plain.identity],
        _axes=tuple((axis, tuple(named[row.identity] for row in rows)) for axis, rows in part._axes),
    )


def _rows(
    study: Study, points: Points, start: PointOfStudy, along: Mapping[str, Sequence[tuple[str, PointOfStudy]]]
) -> Iterable[tuple[str | None, Row]]:
    """Return the rows of the study's kind of design, each with its axis where it is varied alone."""
    known = [[point.identity for _, point in values] for values in along.values()]
    listed = all(start.identity in values for values in known)
    baseline = tuple(values.index(start.identity) for values in known) if listed else None
    for levels in study.kind.rows([len(values) for values in known], baseline):
        point, changed = start, []
        for (axis, values), level in zip(study.varied.items(), levels, strict=True):
            if level is not None:
                _, point = points.moved(point, axis, values[level])
                changed.append(axis)
        alone = changed[0] if study.kind.varies_alone else None
        yield alone, _labelled(study, points.row(point, axis=alone), changed)


def _labelled(study: Study, row: Row, changed: Sequence[str]) -> Row:
    return _on_its_task(replace(row, label=study.kind.label(row.label, changed, tuple(study.varied))))


def _on_its_task(row: Row) -> Row:
    return replace(row, label=f"{row.label} on {row.task}") if row.task else row


def _refuse_duplicates(study: Study, axis: str, values: Sequence[tuple[str, PointOfStudy]]) -> None:
    seen: dict[Any, str] = {}
    for text, point in values:
        if point.identity in seen:
            raise StudyError(f"study {study.name!r}: axis {axis!r} has the value {text!r} twice")
        seen[point.identity] = text


def _check_repeats(study: Study) -> None:
    """Refuse repeats whose seeds would run into each other's, or into those of a confirmation."""
    if REPEAT in study.axes and max(study.seeds) >= REPEAT_STRIDE:
        raise StudyError(
            f"study {study.name!r}: with the axis {REPEAT!r}, seeds must be below {REPEAT_STRIDE}"
        )
    most = max((v for v in study.axes.get(REPEAT, ()) if isinstance(v, int)), default=0)
    if study.confirm and most * REPEAT_STRIDE >= CONFIRM_FROM:
        raise StudyError(
            f"study {study.name!r}: with confirm, repeats must be below {CONFIRM_FROM // REPEAT_STRIDE}, got {most}"
        )


def _refuse_small_budget(study: Study, rows: int) -> None:
    budget, least = study.race.budget, rows * study.race.first
    if budget is not None and budget < least:
        raise StudyError(
            f"study {study.name!r}: race.budget is {budget} trials, and the first look needs {least}: {rows} rows with"
            f" {study.race.first} seeds each"
        )
