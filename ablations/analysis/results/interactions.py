"""A study of combinations as a factorial experiment: main effects, interactions, and the means behind them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from ablations.analysis.stats.factorial.effects import Factorial, factorial
from ablations.analysis.stats.interval import Interval
from ablations.planning.design import Design
from ablations.planning.points import NOT_VARIED
from ablations.planning.row import Row

if TYPE_CHECKING:
    from ablations.analysis.results.results import Results


class Line(NamedTuple):
    """Means over seeds and other axes, along the first axis, at one level of the second; None where untrained."""

    level: str
    points: tuple[Interval | None, ...]


class InteractionInfo(NamedTuple):
    """An interaction plot: levels of one axis across, a line for each level of another."""

    across: str
    levels: tuple[str, ...]
    along: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Combinations:
    """The analysis of a study of combinations.

    Attributes:
        fit: main effects and interactions.
        plots: one for each pair of axes whose interaction the design can show.
        margin: smallest effect of interest, in points.
    """

    fit: Factorial
    plots: tuple[InteractionInfo, ...]
    margin: float


def combinations_of(results: Results) -> Combinations | None:
    """Analyse a study of combinations; None for other studies, and while fewer than two levels are measured."""
    study = results.design.study
    if not results.design.kind.crosses or results.withheld is not None:
        return None
    frame = factor_frame(results)
    axes = [axis for axis in study.axes if frame[axis].nunique() > 1]
    if not axes or frame["seed"].nunique() < 2:
        return None
    base = dict(results.design.baseline.values)
    reference = {axis: base[axis] for axis in axes if base[axis] in set(frame[axis])}
    lower = study.metric.lower_is_better
    fit = factorial(frame, axes, reference=reference, margin=study.margin, lower_is_better=lower)
    shown = {contrast.factors for contrast in fit.interactions}
    plots = tuple(_interaction(frame, *pair, fit) for pair in combinations(axes, 2) if pair in shown)
    return Combinations(fit, plots, study.margin)


def factor_frame(results: Results) -> pd.DataFrame:
    """Return the metric as `seed`, `value` and one column for each axis; only rows made of the axes' own values."""
    design = results.design
    trials = results.trials[results.trials["status"] == "finished"]
    own = [row for row in design.rows if all(text != NOT_VARIED for _, text in row.values)]
    kept = trials[trials["row"].isin([row.label for row in own if _is_combined(row, own, design)])]
    names = {f"axis.{axis}": axis for axis in design.study.axes}
    column = design.study.metric.column
    renamed = kept[["seed", column, "row", *names]].rename(columns={**names, column: "value"})
    return renamed.reset_index(drop=True)


def _is_combined(row: Row, own: Sequence[Row], design: Design) -> bool:
    """Return whether a row combines the axes' own values; the baseline may have values that no axis lists."""
    if row.label != design.baseline.label:
        return True
    levels = {axis: {dict(c.values)[axis] for c in own} for axis in design.study.axes}
    if sum(len(found) > 1 for found in levels.values()) < 2:
        return True
    others = [dict(c.values) for c in own if c.label != row.label]
    return all(any(values[axis] == text for values in others) for axis, text in row.values)


def _interaction(frame: pd.DataFrame, a: str, b: str, fit: Factorial) -> InteractionInfo:
    across, along = (a, b) if frame[a].nunique() >= frame[b].nunique() else (b, a)
    levels = tuple(str(level) for level in frame[across].unique())
    groups = {key: part["value"].to_numpy(np.float64) for key, part in frame.groupby([across, along])}
    t = float(special.stdtrit(fit.df, 0.975)) if fit.df > 0 else None
    lines = []
    for level in frame[along].unique():
        points = tuple(_point(groups.get((x, level)), fit.sd, t) for x in levels)
        lines.append(Line(str(level), points))
    return InteractionInfo(across, levels, along, tuple(lines))


def _point(values: NDArray[np.float64] | None, sd: float | None, t: float | None) -> Interval | None:
    if values is None:
        return None
    mean = float(values.mean())
    if sd is None or t is None:
        return Interval(mean, None, None)
    half = t * sd / len(values) ** 0.5
    return Interval(mean, mean - half, mean + half)
