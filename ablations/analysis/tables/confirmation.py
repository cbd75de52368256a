"""The table and the sentence of a confirmation."""

from __future__ import annotations

from ablations.analysis.results.confirmation import Confirmation
from ablations.analysis.stats.paired import PairedDifference
from ablations.analysis.tables.cells import Column, Difference, Mean, Table, TableRow, Text


def confirmation_table(found: Confirmation) -> Table:
    """Return the best row's error on the seeds of the choice beside that on fresh ones."""
    columns = (
        Column("seeds", "seeds", "left"),
        Column("top1", "top-1 error, %"),
        Column("difference", "difference to baseline"),
    )
    rows = (
        TableRow((Text("of the choice"), Mean(found.chosen, found.chosen.n), _cell(found.chosen_difference))),
        TableRow((Text("fresh"), Mean(found.fresh, found.planned), _cell(found.fresh_difference))),
    )
    notes = (
        f"{found.winner.label} had the lowest error of {found.rows} rows, by the mean difference to the baseline with "
        "common seeds. The first line is flattered, because the luck of its seeds was chosen along with it; the "
        "second is the one to quote. Intervals are 95 % t-intervals.",
    )
    return Table("confirmation", "The best row on fresh seeds", columns, rows, notes)


def confirmation_answer(found: Confirmation) -> str:
    """Return a sentence on how the best row did on fresh seeds."""
    if found.fresh.mean is None:
        return f"The row with the lowest error, {found.winner.label}, failed on every fresh seed."
    shown = Mean(found.fresh, found.planned).text()
    said = (
        f"On fresh seeds the row with the lowest error, {found.winner.label}, has a top-1 error of {shown} %"
    )
    if found.fresh_difference.mean is None or found.chosen_difference.mean == 0:
        return said + "."
    return (
        f"{said}, a difference to the baseline of {_cell(found.fresh_difference).text()} points; in the choice it was "
        f"{_cell(found.chosen_difference).text()}."
    )


def _cell(d: PairedDifference) -> Difference:
    return Difference(d.mean, d.lo, d.hi, sd=d.sd)
