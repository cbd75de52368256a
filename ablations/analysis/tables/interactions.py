"""A study of combinations as a factorial experiment: its tables, and what its interaction plots show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from ablations.analysis.plots.data import Interval
from ablations.analysis.results.results import Results
from ablations.analysis.stats.factorial import Contrast, Factorial, factorial
from ablations.analysis.tables.cells import Column, Difference, Number, PValue, Table, TableRow, Text
from ablations.planning.design import Design
from ablations.planning.points import NOT_VARIED
from ablations.planning.row import Cell

_ALPHA = 0.05


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
    """What a study of combinations shows.

    Attributes:
        fit: main effects and interactions.
        plots: one for each pair of axes whose interaction the design can show.
        fractional: whether combinations were left out by design.
        margin: smallest effect of interest, in points.
    """

    fit: Factorial
    plots: tuple[InteractionInfo, ...]
    fractional: bool
    margin: float


def combinations_of(results: Results) -> Combinations | None:
    """Analyse a study of combinations; None for other studies, and while fewer than two levels are measured.

    Args:
        results: the study's design and record.
    """
    study = results.design.study
    if results.design.varies_alone:
        return None
    frame = factor_frame(results)
    axes = [axis for axis in study.axes if frame[axis].nunique() > 1]
    if not axes or frame["seed"].nunique() < 2:
        return None
    base = dict(results.design.baseline.values)
    reference = {axis: base[axis] for axis in axes if base[axis] in set(frame[axis])}
    fit = factorial(frame, axes, reference=reference, margin=study.margin)
    shown = {contrast.factors for contrast in fit.interactions}
    plots = tuple(_interaction(frame, *pair, fit) for pair in combinations(axes, 2) if pair in shown)
    return Combinations(fit, plots, study.design == "pairwise", study.margin)


def factor_frame(results: Results) -> pd.DataFrame:
    """Give top-1 errors as `seed`, `value` and one column for each axis; only cells made of the axes' own values."""
    design = results.design
    trials = results.trials[results.trials["status"] == "finished"]
    own = [cell for cell in design.cells if all(text != NOT_VARIED for _, text in cell.values)]
    kept = trials[trials["cell"].isin([cell.label for cell in own if _is_combined(cell, own, design)])]
    names = {f"axis.{axis}": axis for axis in design.study.axes}
    renamed = kept[["seed", "top1_error", "cell", *names]].rename(columns={**names, "top1_error": "value"})
    return renamed.reset_index(drop=True)


def _is_combined(cell: Cell, own: Sequence[Cell], design: Design) -> bool:
    """Whether a cell is a combination of the axes' own values; the baseline may have values that no axis lists."""
    if cell.label != design.baseline.label:
        return True
    levels = {axis: {dict(c.values)[axis] for c in own} for axis in design.study.axes}
    if sum(len(found) > 1 for found in levels.values()) < 2:
        return True
    others = [dict(c.values) for c in own if c.label != cell.label]
    return all(any(values[axis] == text for values in others) for axis, text in cell.values)


def effect_tables(found: Combinations) -> tuple[Table, ...]:
    """Make the tables of main effects, interactions and F-tests."""
    fit = found.fit
    notes = [
        "A main effect is the mean error at a level minus that at the reference level (the baseline's), averaged "
        "evenly over the other axes. Negative is a lower error. Seeds are blocks; intervals are 95 % t-intervals of "
        f"the pooled residual ({fit.df} degrees of freedom"
        + (f", sd {fit.sd:.3f} points" if fit.sd is not None else "")
        + f"); p is corrected (Holm) over the table; “equivalent” means within ±{found.margin:g} points.",
    ]
    if any(c.alone for c in (*fit.effects, *fit.interactions)):
        notes.append(
            "Not all combinations were trained. What could not be told apart otherwise (marked “if alone”) was "
            "estimated as if there were no other interaction: where there is one, it may show up here."
        )
    if fit.not_estimable:
        named = ", ".join(" × ".join(factors) for factors in fit.not_estimable)
        notes.append(f"The combinations trained cannot show: {named}. A grid can.")
    between = (
        "An interaction is a difference of differences: how much more a level changes the error where the other axis "
        "has its level than where it has its reference. At zero the two choices add up and can be made one by one.",
    )
    tables = [_contrast_table("main-effects", "Main effects", fit.effects, tuple(notes))]
    if fit.interactions:
        tables.append(_contrast_table("interactions", "Interactions of two axes", fit.interactions, between))
    if fit.terms or fit.departure is not None:
        tables.append(_term_table(fit))
    return tuple(table for table in tables if table.rows)


def interaction_answer(found: Combinations) -> str | None:
    """Say in one sentence whether choices depend on each other; None where there is nothing to say."""
    fit = found.fit
    present = [c for c in fit.interactions if c.words == "present"]
    if present:
        most = max(present, key=lambda c: abs(c.value))
        named = " with ".join(f"{f} {level}" for f, level in zip(most.factors, most.levels, strict=True))
        return (
            f"Choices depend on each other: {len(present)} of {len(fit.interactions)} interactions are shown, the "
            f"largest {named} ({Difference(most.value, most.lo, most.hi).text()} points)."
        )
    if fit.interactions and all(c.words == "equivalent" for c in fit.interactions):
        margin = f"±{found.margin:g} points"
        return f"Every interaction of two axes lies within {margin}: the choices can be made one by one."
    if fit.interactions and all(c.words in ("equivalent", "undetermined") for c in fit.interactions):
        return "Whether the choices depend on each other is undetermined."
    if not fit.interactions and fit.departure is not None and fit.departure.p <= _ALPHA:
        return "Choices depend on each other, but these combinations cannot show which: train a grid."
    return None


def _contrast_table(key: str, title: str, contrasts: Sequence[Contrast], notes: tuple[str, ...]) -> Table:
    columns = (
        Column("axis", "axis", "left"),
        Column("level", "level", "left"),
        Column("reference", "against", "left"),
        Column("effect", "effect, points"),
        Column("p", "p"),
        Column("p_holm", "p (Holm)"),
        Column("p_tost_holm", "p, equivalence"),
        Column("verdict", "verdict", "left"),
    )
    rows = tuple(
        TableRow(
            (
                Text(" × ".join(c.factors)), Text(" × ".join(c.levels)), Text(" × ".join(c.reference)),
                Difference(c.value, c.lo, c.hi), PValue(c.p), PValue(c.p_holm), PValue(c.p_tost_holm),
                Text(c.words + (" (if alone)" if c.alone else "")),
            )
        )
        for c in contrasts
    )  # fmt: skip
    return Table(key, title, columns, rows, notes)


def _term_table(fit: Factorial) -> Table:
    columns = (
        Column("term", "term", "left"),
        Column("df", "degrees of freedom", "left"),
        Column("f", "F"),
        Column("p", "p"),
        Column("p_holm", "p (Holm)"),
    )
    rows = tuple(
        TableRow(
            (
                Text(" × ".join(t.factors)),
                Text(f"{t.df}, {fit.df}"),
                Number(t.f),
                PValue(t.p),
                PValue(t.p_holm),
            )
        )
        for t in fit.terms
    )
    notes = [
        "Whether any level of an axis, or any combination of two axes, differs (type II sums of squares)."
    ]
    if fit.departure is not None:
        d = fit.departure
        last = (Text("all interactions"), Text(f"{d.df}"), Number(d.f), PValue(d.p), Text(None))
        rows += (TableRow(last),)
        notes.append(
            "All interactions: whether the rows trained differ by more than main effects and noise, through "
            "interactions of whatever axes and order."
        )
    return Table("f-tests", "F-tests", columns, rows, tuple(notes))


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
