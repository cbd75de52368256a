"""The numbers that the plots show; `axis` and `cost` draw them."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from ablations.analysis.results.families import COSTS, Family, Sample, SampleFamily
from ablations.analysis.results.results import Results
from ablations.analysis.stats.interval import Interval
from ablations.analysis.stats.paired import Estimate, PairedDifference
from ablations.analysis.tables.cells import unit_of
from ablations.planning.metric import Metric
from ablations.planning.row import RowKind

_ALIKE = 1.01  # costs that differ by less than this factor are alike
_LOG_FROM = 4.0  # a cost that spans this factor is drawn on a logarithmic axis


class AxisRow(NamedTuple):
    """One line of an axis plot: values by seed, their mean, paired difference to the baseline."""

    label: str
    kind: RowKind
    values: tuple[float, ...]
    error: Interval
    difference: Interval | None
    verdict: str


class AxisInfo(NamedTuple):
    """An axis plot: rows from top to bottom, margin of equivalence, what the axes are called, which way is better."""

    rows: tuple[AxisRow, ...]
    baseline: Interval | None
    margin: float | None
    head: str
    difference_head: str
    lower_is_better: bool


class CostPoint(NamedTuple):
    """One row in a plot of error against cost."""

    label: str
    kind: RowKind
    axis: str
    cost: float
    error: Interval


class CostInfo(NamedTuple):
    """Error against a cost, in the units of `head`.

    The plain network is a reference line, not a point, where the cost is what is added to it.
    """

    head: str
    logarithmic: bool
    points: tuple[CostPoint, ...]
    plain: Interval | None
    metric: Metric


class Band(NamedTuple):
    """Mean, lowest and highest over seeds, by epoch."""

    epochs: tuple[float, ...]
    mean: tuple[float, ...]
    lowest: tuple[float, ...]
    highest: tuple[float, ...]


class Curve(NamedTuple):
    """Training curves of one row; a quantity that was not recorded has an empty band.

    `gap` is the validation error, or where none was recorded the training error, minus the baseline's with the same
    seed, in points.
    """

    label: str
    kind: RowKind
    loss: Band
    error: Band
    validation: Band
    gap: Band


class CurvesInfo(NamedTuple):
    """Training curves of a family.

    Attributes:
        curves: those of each row.
        validated: whether the errors on images that were held back from the training are among them.
    """

    curves: tuple[Curve, ...]
    validated: bool


def axis_info(family: SampleFamily) -> AxisInfo:
    """Return an axis plot; rows without a finished trial are left out.

    Args:
        family: the rows, their values by seed, and their comparisons.
    """
    rows = tuple(_axis_row(family, outcome) for outcome in family.outcomes if outcome.level.mean is not None)
    baseline = next((row.error for row in rows if row.kind == "baseline"), None)
    name, unit, points = family.metric[1:4]
    head, difference = (
        f"{of} ({unit})" if unit else of for of, unit in ((name, unit), ("difference", points))
    )
    return AxisInfo(rows, baseline, family.margin, head, difference, family.metric.lower_is_better)


def cost_words(cost: str) -> str:
    """Return what a cost is called: "multiply-adds" for "multiply_adds"."""
    return cost.replace("_", "-" if cost in COSTS else " ")


def cost_info(families: tuple[Family, ...], cost: str) -> CostInfo:
    """Return error against cost over all rows of a study, each once.

    SE adds little to a network, so where every row costs more than the plain one, and none a multiple of
    it, the cost is what is added, in per cent; otherwise it is the count itself.

    Args:
        families: all of a study.
        cost: what is on the horizontal axis.
    """
    points, metric = _cost_points(families, cost), families[0].metric
    words = cost_words(cost)
    plain = next((point for point in points if point.kind == "plain"), None)
    others = [point for point in points if point is not plain]
    if plain is not None and others and all(1 < point.cost / plain.cost < _LOG_FROM for point in others):
        extra = tuple(point._replace(cost=100 * (point.cost / plain.cost - 1)) for point in others)
        return CostInfo(f"extra {words} over plain (%)", _spans(extra), extra, plain.error, metric)
    divisor, unit = unit_of(max((point.cost for point in points), default=1.0))
    counted = tuple(point._replace(cost=point.cost / divisor) for point in points)
    return CostInfo(f"{words} ({unit})" if unit else words, _spans(counted), counted, None, metric)


def costs_alike(families: tuple[Family, ...], cost: str) -> bool:
    """Return whether all rows of a study cost about the same: then there is nothing to see against it."""
    costs = [point.cost for point in _cost_points(families, cost)]
    return bool(costs) and max(costs) < _ALIKE * min(costs)


def curves_info(family: Family, results: Results) -> CurvesInfo:
    """Return training curves; rows without a recorded epoch are left out.

    Args:
        family: the rows.
        results: the record.
    """
    frame = results.history[results.history["row"].isin([outcome.label for outcome in family.outcomes])]
    validated = "validation_error" in frame and bool(frame["validation_error"].notna().any())
    compared = "validation_error" if validated else "train_error"
    columns = (
        _bands(frame, "train_loss"),
        _bands(frame, "train_error"),
        _bands(frame, "validation_error") if validated else {},
        _bands(_gap(frame, family.baseline, compared), compared),
    )
    curves = (
        Curve(o.label, family.kind(o), *(bands.get(o.label, _NO_BAND) for bands in columns))
        for o in family.outcomes
    )
    return CurvesInfo(tuple(curve for curve in curves if curve.loss.epochs or curve.error.epochs), validated)


def _cost_points(families: tuple[Family, ...], cost: str) -> tuple[CostPoint, ...]:
    points: dict[str, CostPoint] = {}
    for family in families:
        for outcome in family.outcomes:
            amount, error = outcome.costs.get(cost), _interval(outcome.level)
            if amount is None or error is None:
                continue
            kind = family.kind(outcome)
            axis = outcome.row.axis or ("" if kind != "variant" else "combination")
            points.setdefault(outcome.label, CostPoint(outcome.label, kind, axis, float(amount), error))
    return tuple(points.values())


def _spans(points: tuple[CostPoint, ...]) -> bool:
    """Return whether the costs differ by so much that they need a logarithmic axis."""
    costs = [point.cost for point in points]
    return bool(costs) and max(costs) > _LOG_FROM * min(costs)


def _axis_row(family: SampleFamily, outcome: Sample) -> AxisRow:
    comparison, error = family.comparisons.get(outcome.label), _interval(outcome.level)
    difference = None if comparison is None else _interval(comparison.difference)
    verdict = "" if comparison is None or difference is None else comparison.reading.verdict
    assert error is not None  # rows without a value are left out before
    return AxisRow(outcome.label, family.kind(outcome), outcome.values, error, difference, verdict)


def _interval(found: Estimate | PairedDifference) -> Interval | None:
    return None if found.mean is None else Interval(found.mean, found.lo, found.hi)


_NO_BAND = Band((), (), (), ())


def _bands(rows: pd.DataFrame, column: str) -> dict[str, Band]:
    """Return mean and range over seeds by epoch, for every row at once: one by one, hundreds of rows take a minute."""
    by_epoch = rows.dropna(subset=[column]).groupby(["row", "epoch"])[column].agg(["mean", "min", "max"])
    points: dict[str, list[tuple[float, float, float, float]]] = {}
    for (row, epoch), mean, low, high in by_epoch.itertuples():
        points.setdefault(row, []).append((float(epoch), mean, low, high))
    return {row: Band(*zip(*found, strict=True)) for row, found in points.items()}


def _gap(rows: pd.DataFrame, baseline: str, column: str) -> pd.DataFrame:
    """Return a column minus the baseline's, seed by seed and epoch by epoch."""
    against = rows.loc[rows["row"] == baseline, ["seed", "epoch", column]]
    pairs = rows.merge(against, on=["seed", "epoch"], suffixes=("", "_baseline"))
    return pairs.assign(**{column: pairs[column] - pairs[f"{column}_baseline"]})
