"""The table and the sentence of a confirmation."""

from __future__ import annotations

from ablations.analysis.results.confirmation import Confirmation
from ablations.analysis.stats.paired import PairedDifference
from ablations.analysis.tables.cells import Column, Difference, Mean, Table, TableRow, Text
from ablations.planning.metric import Metric


def confirmation_table(found: Confirmation, metric: Metric) -> Table:
    """Return the best row's mean on the seeds of the choice beside that on fresh ones."""
    best = _best(metric)
    columns = (
        Column("seeds", "seeds", "left"),
        Column(metric.key, metric.head),
        Column("difference", "difference to baseline"),
    )
    rows = (
        TableRow(
            (
                Text("of the choice"),
                Mean(found.chosen, found.chosen.n, metric.decimals),
                _cell(found.chosen_difference, metric),
            )
        ),
        TableRow(
            (
                Text("fresh"),
                Mean(found.fresh, found.planned, metric.decimals),
                _cell(found.fresh_difference, metric),
            )
        ),
    )
    notes = (
        f"{found.winner.label} had the {best} {metric.noun} of {found.rows} rows, by the mean difference to the "
        "baseline with common seeds. The first line is flattered, because the luck of its seeds was chosen along with "
        "it; the second is the one to quote. Intervals are 95 % t-intervals.",
    )
    return Table("confirmation", "The best row on fresh seeds", columns, rows, notes)


def confirmation_answer(found: Confirmation, metric: Metric) -> str:
    """Return a sentence on how the best row did on fresh seeds."""
    best = _best(metric)
    if found.fresh.mean is None:
        return f"The row with the {best} {metric.noun}, {found.winner.label}, failed on every fresh seed."
    shown = f"{Mean(found.fresh, found.planned, metric.decimals).text()} {metric.unit}".rstrip()
    article = "an" if metric.name[0].lower() in "aeiou" else "a"
    said = (
        f"On fresh seeds the row with the {best} {metric.noun}, {found.winner.label}, has {article} {metric.name} of"
        f" {shown}"
    )
    if found.fresh_difference.mean is None or found.chosen_difference.mean == 0:
        return said + "."
    fresh, chosen = (_cell(d, metric).text() for d in (found.fresh_difference, found.chosen_difference))
    return (
        f"{said}, a difference to the baseline of {metric.with_points(fresh)}; in the choice it was {chosen}."
    )


def _cell(d: PairedDifference, metric: Metric) -> Difference:
    return Difference(d.mean, d.lo, d.hi, sd=d.sd, decimals=metric.decimals)


def _best(metric: Metric) -> str:
    return "lowest" if metric.lower_is_better else "highest"
