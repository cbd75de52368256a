"""The comparisons of a study, in families: what one table shows is corrected together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ablations.analysis.stats.compare import compare, compare_pairs
from ablations.analysis.stats.family import Comparison
from ablations.analysis.stats.paired import Estimate, estimate
from ablations.planning.row import Row, RowKind
from senet_core.errors import UserError, unknown

if TYPE_CHECKING:
    from ablations.analysis.results.results import Results


@dataclass(frozen=True)
class Outcome:
    """The measurements of one row.

    Attributes:
        row: the network and recipe.
        top1: top-1 error in per cent, over seeds.
        top5: top-5 error in per cent, over seeds; without values where there are too few classes.
        parameters: learnable parameters; None before the first trial has finished.
        multiply_adds: for one image; None before the first trial has finished.
        widths: bottleneck units by stage number; empty for the plain network.
        planned: seeds planned.
    """

    row: Row
    top1: Estimate
    top5: Estimate
    parameters: int | None
    multiply_adds: int | None
    widths: Mapping[int, int]
    planned: int

    @property
    def label(self) -> str:
        """The row's label."""
        return self.row.label


@dataclass(frozen=True)
class Family:
    """One table's worth of rows, each compared with the baseline.

    Attributes:
        axis: the axis that is varied; None where the table shows every row.
        outcomes: the rows in order, the plain network first where the study has one.
        baseline: label of the row that the others are compared with.
        plain: label of the plain network; None if the study has none.
        comparisons: top-1 errors against the baseline, by label, corrected over this family.
        margin: smallest effect of interest, in points.
    """

    axis: str | None
    outcomes: tuple[Outcome, ...]
    baseline: str
    plain: str | None
    comparisons: Mapping[str, Comparison]
    margin: float

    def kind(self, outcome: Outcome) -> RowKind:
        """Return whether a row is the baseline, the plain network or a variant."""
        if outcome.label == self.baseline:
            return "baseline"
        return "plain" if outcome.label == self.plain else "variant"

    def outcome(self, label: str) -> Outcome:
        """Return the row of a label."""
        return next(outcome for outcome in self.outcomes if outcome.label == label)


def families(results: Results) -> tuple[Family, ...]:
    """Return the families of a study: one for each axis of a one-factor design, one in all for combinations."""
    outcomes = {row.label: _outcome(results, row) for row in results.design.rows}
    return tuple(_family(results, axis, rows, outcomes) for axis, rows in results.design.families)


def every_comparison(groups: Iterable[Family]) -> dict[str, Comparison]:
    """Return every comparison once, by label; of several of one label (plain), that with the largest corrected p."""
    found: dict[str, Comparison] = {}
    for group in groups:
        for label, comparison in group.comparisons.items():
            known = found.get(label)
            if known is None or (comparison.p_holm or 0) > (known.p_holm or 0):
                found[label] = comparison
    return found


def axis_pairs(results: Results, axis: str) -> tuple[Comparison, ...]:
    """Compare all pairs of the rows along an axis, as one family.

    Args:
        results: the study's design and record.
        axis: one that the study varies alone.

    Raises:
        UserError: the study does not vary it, or varies it only in combinations.
    """
    study = results.design.study
    if axis not in study.axes:
        raise unknown("axis of this study", axis, study.axes)
    if not results.design.kind.varies_alone:
        raise UserError(
            f"all pairs of an axis need design one-factor or race; this study's is {study.design}"
        )
    rows = results.design.on_axis(axis)
    values = results.values("top1_error", rows)
    return compare_pairs(values, margin=study.margin, schedule=results.schedule)


def _family(
    results: Results, axis: str | None, rows: Sequence[Row], outcomes: Mapping[str, Outcome]
) -> Family:
    baseline, plain = results.design.baseline, results.design.plain
    values = results.values("top1_error", rows)
    margin = results.design.study.margin
    comparisons = compare(values, baseline.label, margin=margin, schedule=results.schedule)
    return Family(
        axis=axis,
        outcomes=tuple(outcomes[row.label] for row in rows),
        baseline=baseline.label,
        plain=None if plain is None else plain.label,
        comparisons={comparison.variant: comparison for comparison in comparisons},
        margin=margin,
    )


def _outcome(results: Results, row: Row) -> Outcome:
    done = results.of_row(row)
    measured = [record.result for record in done if record.result is not None]
    first = measured[0] if measured else None
    return Outcome(
        row=row,
        top1=_estimate(result.top1_error for result in measured),
        top5=_estimate(result.top5_error for result in measured),
        parameters=None if first is None else first.parameters,
        multiply_adds=None if first is None else first.multiply_adds,
        widths={}
        if first is None
        else {int(stage): width for stage, width in first.bottleneck_widths.items()},
        planned=len(results.asked_seeds(row)),
    )


def _estimate(values: Iterable[float | None]) -> Estimate:
    return estimate([value for value in values if value is not None])
