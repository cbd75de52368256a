"""The tables of a study, as families of rows: each shows a part of the study's comparisons."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING, TypeVar

from ablations.analysis.results.account import rules_of
from ablations.analysis.results.imported import confounded_rows, mixed_rows
from ablations.analysis.results.outcomes.stacked import outcomes_of
from ablations.analysis.results.seal import Standing, standing_of
from ablations.analysis.stats.comparison import Comparison
from ablations.analysis.stats.family import compare_family
from ablations.analysis.stats.outcomes.crossed import CrossedLevel, crossed_level
from ablations.analysis.stats.paired import Estimate, estimate
from ablations.planning.metric import Metric
from ablations.planning.row import Row, RowKind
from ablations.running.record.trial_record import TrialRecord
from senet_core.errors import UserError, unknown

if TYPE_CHECKING:
    from ablations.analysis.results.results import Results

COSTS = ("parameters", "multiply_adds")
"""The sizes that trials record, which tables and plots set beside the metric."""


@dataclass(frozen=True)
class Sample:
    """The values of one variant.

    Attributes:
        label: its name.
        values: one for each seed that has one, by seed.
        planned: seeds planned.
    """

    label: str
    values: tuple[float, ...]
    planned: int

    @cached_property
    def level(self) -> Estimate:
        """The mean of the values over seeds."""
        return estimate(self.values)


@dataclass(frozen=True)
class Outcome(Sample):
    """What was measured of one row of a study.

    Attributes:
        row: of the study.
        others: the means of the experiment's other metrics over seeds, by key; without values where none was recorded.
        costs: what is known of its size, by name, such as "parameters"; empty before the first trial has finished.
        records: its finished trials, by seed.
        crossed: its error over new seeds and new test images; None where verdicts do not rest on images.
    """

    row: Row
    others: Mapping[str, Estimate]
    costs: Mapping[str, float]
    records: tuple[TrialRecord, ...] = ()
    crossed: CrossedLevel | None = None

    @cached_property
    def level(self) -> Estimate:
        """The mean of the values over seeds; its interval holds for new test images, too, where `crossed` is known."""
        over_seeds = super().level
        if self.crossed is None or self.crossed.lo is None:
            return over_seeds
        return replace(over_seeds, lo=self.crossed.lo, hi=self.crossed.hi)


@dataclass(frozen=True)
class SampleFamily:
    """One table's worth of samples, each compared with the baseline.

    Attributes:
        axis: the axis that is varied, or the task; None where the table shows everything.
        outcomes: the samples in order.
        baseline: label of the sample that the others are compared with.
        comparisons: with the baseline, by label, corrected over all comparisons of the study or frame.
        margin: smallest effect of interest, in the units of differences; None if none was declared.
        metric: what is compared.
        plain: label of the plain network; None where there is none.
        standing: whether a row confirms something or explores, by label; empty without a sealed plan.
        places: in sentences, which samples are compared across the places where trials ran, and which mix them.
        task: of a study with several; "" for others.
    """

    axis: str | None
    outcomes: tuple[Sample, ...]
    baseline: str
    comparisons: Mapping[str, Comparison]
    margin: float | None
    metric: Metric
    plain: str | None = None
    standing: Mapping[str, Standing] = field(default_factory=dict)
    places: tuple[str, ...] = ()
    task: str = ""

    @property
    def name(self) -> str | None:
        """What tells it from the other families: axis and task; None where there is one family."""
        if not self.task:
            return self.axis
        return self.task if self.axis is None else f"{self.axis} on {self.task}"

    def kind(self, outcome: Sample) -> RowKind:
        """Return whether a sample is the baseline, the plain network or a variant."""
        if outcome.label == self.baseline:
            return "baseline"
        return "plain" if outcome.label == self.plain else "variant"


@dataclass(frozen=True)
class Family(SampleFamily):
    """A family of rows of a study: the values of its metric, the plain network first where the study has one."""

    outcomes: tuple[Outcome, ...]

    def outcome(self, label: str) -> Outcome:
        """Return the row of a label."""
        return next(outcome for outcome in self.outcomes if outcome.label == label)


AnyFamily = TypeVar("AnyFamily", bound=SampleFamily)


def families(results: Results) -> tuple[Family, ...]:
    """Return the families of a study: one for each axis of a one-factor design, one in all for combinations.

    Each task has its own.
    """
    standing = standing_of(results) or {}  # of the whole study, as it was sealed
    return tuple(replace(family, standing=standing) for part in results.tasks for family in _of_task(part))


def _of_task(results: Results) -> Iterator[Family]:
    outcomes = {row.label: _outcome(results, row) for row in results.design.rows}
    for axis, rows in results.design.families:
        yield _family(results, axis, rows, outcomes)


def family_of(families: Iterable[AnyFamily], axis: str | None, what: str) -> AnyFamily:
    """Return the family of an axis or task; of a single one also where `axis` is None.

    Raises:
        UserError: there is none of it; `what` says what was asked for.
    """
    known = {family.name: family for family in families}
    if axis is None and len(known) == 1:
        axis = next(iter(known))
    if axis not in known and set(known) == {None}:
        raise UserError(f"there is one table and no {what}: it is shown without a name, got {axis!r}")
    if axis not in known:
        raise unknown(what, axis, known)
    return known[axis]


def axis_pairs(results: Results, axis: str) -> tuple[Comparison, ...]:
    """Compare all pairs of the rows along an axis, corrected for each other: a family beside the study's own.

    Args:
        results: the study's design and record.
        axis: one that the study varies alone.

    Raises:
        UserError: the study does not vary it, or varies it only in combinations.
    """
    study = results.design.study
    if axis not in study.varied:
        raise unknown("axis of this study", axis, study.varied)
    if not results.design.kind.varies_alone:
        raise UserError(
            f"all pairs of an axis need design one-factor or race; this study's is {study.design}"
        )
    rows = [part.design.on_axis(axis) for part in results.tasks]
    pairs = [(two.label, one.label) for own in rows for one, two in combinations(own, 2)]
    every = [row for own in rows for row in own]
    return compare_family(results.values(rows=every), pairs, rules_of(results))


def _family(
    results: Results, axis: str | None, rows: Sequence[Row], outcomes: Mapping[str, Outcome]
) -> Family:
    baseline, plain = results.design.baseline, results.design.plain
    return Family(
        axis=axis,
        outcomes=tuple(outcomes[row.label] for row in rows),
        baseline=baseline.label,
        plain=None if plain is None else plain.label,
        comparisons={
            row.label: results.comparisons[row.label] for row in rows if row.label in results.comparisons
        },
        margin=results.design.study.margin,
        metric=results.design.study.metric,
        places=tuple(filter(None, (confounded_rows(results, rows), mixed_rows(results, rows)))),
        task=results.task,
    )


def _outcome(results: Results, row: Row) -> Outcome:
    done = tuple(record for record in results.of_row(row) if record.result is not None)
    first, *others = results.design.study.experiment.metrics
    known = {metric.key: _values(done, metric) for metric in (first, *others)}
    return Outcome(
        label=row.label,
        values=tuple(known[first.key]),
        planned=len(results.asked_seeds(row)),
        row=row,
        others={metric.key: estimate(known[metric.key]) for metric in others},
        costs=costs_of(done),
        records=done,
        crossed=_crossed(results, row),
    )


def _values(records: Iterable[TrialRecord], metric: Metric) -> list[float]:
    found = (None if record.result is None else record.result.value(metric.column) for record in records)
    return [value for value in found if value is not None]


def costs_of(records: Sequence[TrialRecord]) -> Mapping[str, float]:
    """Return what finished trials of one row say of its size: parameters and multiply-adds."""
    first = records[0].result if records else None
    found = {name: None if first is None else first.value(name) for name in COSTS}
    return {name: value for name, value in found.items() if value is not None}


def _crossed(results: Results, row: Row) -> CrossedLevel | None:
    if all(c.rests_on == "seeds" for c in results.comparisons.values()):
        return None
    keys = [record.key for record in results.of_row(row)]
    right = outcomes_of(results, keys) if keys else None
    return None if right is None else crossed_level(right)
