"""Verdicts at half and at twice the margin: how much hangs on the smallest effect of interest that was chosen."""

from __future__ import annotations

from ablations.analysis.results.account import comparisons_of
from ablations.analysis.results.results import Results
from ablations.analysis.tables.cells import Column, Table, TableRow, Text

_FACTORS = (0.5, 1.0, 2.0)


def margin_table(results: Results) -> Table | None:
    """Return the verdict of each row at three margins; None while nothing is said."""
    if results.withheld is not None or not results.comparisons:
        return None
    margin = results.design.study.margin
    found = [
        results.comparisons if factor == 1 else comparisons_of(results, margin=factor * margin)
        for factor in _FACTORS
    ]
    columns = (
        Column("variant", "variant", "left"),
        *(Column(f"at_{factor:g}", f"margin {factor * margin:g}", "left") for factor in _FACTORS),
    )
    rows = tuple(
        TableRow((Text(label), *(Text(at[label].reading.verdict) for at in found)))
        for label in results.comparisons
    )
    changed = sum(len({at[label].reading.verdict for at in found}) > 1 for label in results.comparisons)
    said = results.design.study.metric.with_points(f"{margin:g}")
    note = (
        f"The study's margin is {said}. {changed} of {len(rows)} rows have another verdict at half or at "
        "twice of it. A margin is chosen before the results are seen; this table says what depends on that choice, and "
        "is no offer of others."
    )
    return Table("margins", "Verdicts at other margins", columns, rows, (note,))
