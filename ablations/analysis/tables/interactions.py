"""The tables and the sentence of a study of combinations: main effects, interactions, F-tests."""

from __future__ import annotations

from collections.abc import Sequence

from ablations.analysis.results.interactions import Combinations
from ablations.analysis.stats.factorial.effects import Contrast, Factorial
from ablations.analysis.tables.cells import Column, Difference, Number, PValue, Table, TableRow, Text
from ablations.planning.metric import Metric

_ALPHA = 0.05


def effect_tables(found: Combinations, metric: Metric) -> tuple[Table, ...]:
    """Return the tables of main effects, interactions and F-tests."""
    fit = found.fit
    notes = [
        f"A main effect is the mean {metric.noun} at a level minus that at the reference level (the baseline's), "
        f"averaged evenly over the other axes. Negative is a lower {metric.noun}. Seeds are blocks; intervals are 95 % "
        f"t-intervals of the pooled residual ({fit.df} degrees of freedom"
        + (f", sd {metric.with_points(format(fit.sd, '.3f'))}" if fit.sd is not None else "")
        + f"); p is corrected (Holm) over the table; “equivalent” means within {_margin(found, metric)}."
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
        "An interaction is a difference of differences: how much more a level changes the "
        f"{metric.noun} where the other axis has its level than where it has its reference. At zero the two choices "
        "add up and can be made one by one.",
    )
    tables = [_contrast_table("main-effects", "Main effects", fit.effects, tuple(notes), metric)]
    if fit.interactions:
        tables.append(
            _contrast_table("interactions", "Interactions of two axes", fit.interactions, between, metric)
        )
    if fit.terms or fit.departure is not None:
        tables.append(_term_table(fit))
    return tuple(table for table in tables if table.rows)


def interaction_answer(found: Combinations, metric: Metric, *, numbers: bool = True) -> str | None:
    """Return a sentence on whether choices depend on each other; None where there is nothing to say.

    Args:
        found: the combinations.
        metric: what was measured.
        numbers: whether the largest interaction is given with its interval.
    """
    fit = found.fit
    present = [c for c in fit.interactions if c.words == "present"]
    if present:
        most = max(present, key=lambda c: abs(c.value))
        named = " with ".join(f"{f} {level}" for f, level in zip(most.factors, most.levels, strict=True))
        size = Difference(most.value, most.lo, most.hi, decimals=metric.decimals).text()
        largest = f"{named} ({metric.with_points(size)})" if numbers else named
        return (
            f"Choices depend on each other: {len(present)} of {len(fit.interactions)} interactions are shown, the "
            f"largest {largest}."
        )
    if fit.interactions and all(c.words == "equivalent" for c in fit.interactions):
        margin = _margin(found, metric)
        return f"Every interaction of two axes lies within {margin}: the choices can be made one by one."
    if fit.interactions and all(c.words in ("equivalent", "undetermined") for c in fit.interactions):
        return "Whether the choices depend on each other is undetermined."
    if not fit.interactions and fit.departure is not None and fit.departure.p <= _ALPHA:
        return "Choices depend on each other, but these combinations cannot show which: train a grid."
    return None


def _margin(found: Combinations, metric: Metric) -> str:
    return metric.with_points(f"±{found.margin:g}")


def _contrast_table(
    key: str, title: str, contrasts: Sequence[Contrast], notes: tuple[str, ...], metric: Metric
) -> Table:
    columns = (
        Column("axis", "axis", "left"),
        Column("level", "level", "left"),
        Column("reference", "against", "left"),
        Column("effect", f"effect, {metric.points}" if metric.points else "effect"),
        Column("p", "p"),
        Column("p_holm", "p (Holm)"),
        Column("p_tost_holm", "p, equivalence"),
        Column("verdict", "verdict", "left"),
    )
    rows = tuple(
        TableRow(
            (
                Text(" × ".join(c.factors)), Text(" × ".join(c.levels)), Text(" × ".join(c.reference)),
                Difference(c.value, c.lo, c.hi, decimals=metric.decimals),
                PValue(c.p), PValue(c.p_holm), PValue(c.p_tost_holm),
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
