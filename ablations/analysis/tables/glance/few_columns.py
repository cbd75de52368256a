"""The part of a table that is read first: the columns of a paper's table, seven at most, each verdict with its mark."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ablations.analysis.tables.cells import Coloured, Mean, Table, TableCell
from ablations.analysis.tables.comparisons.verdicts import VerdictCell
from ablations.analysis.tables.glance.marks import MARKS

MOST_COLUMNS = 7


def few_columns(table: Table) -> Table:
    """Return a table with the columns that papers have (`Column.in_paper`), and of these the seven that stay longest.

    A column of marks alone (`Column.narrow`) counts half, and stays. A verdict stands without its forecast of more
    seeds, and a mean without their number where all rows have all that were planned.
    """
    means = [cell for row in table.rows for cell in row.cells if isinstance(cell, Mean) and cell.estimate.n]
    equal = len({mean.planned for mean in means}) == 1 and all(
        mean.estimate.n == mean.planned for mean in means
    )
    places = [place for place, column in enumerate(table.columns) if column.in_paper]
    while (
        len(wide := [place for place in places if not table.columns[place].narrow]) + len(places)
        > 2 * MOST_COLUMNS
    ):
        giving = [place for place in wide[1:] if table.columns[place].gives_way] or wide[1:]
        places.remove(min(giving, key=lambda place: (table.columns[place].gives_way, -place)))
    rows = tuple(
        replace(row, cells=tuple(_short(row.cells[place], equal=equal) for place in places))
        for row in table.rows
    )
    return replace(table, columns=tuple(table.columns[place] for place in places), rows=rows)


@dataclass(frozen=True)
class Level(Mean):
    """A mean whose number of seeds is said elsewhere."""

    def text(self) -> str:
        """Return "12.34 ± 0.21"."""
        return super().text().partition(" (")[0]


def _short(cell: TableCell, *, equal: bool) -> TableCell:
    """Return a verdict with its mark, a mean without its number of seeds where those are equal, all else as it is."""
    if isinstance(cell, Mean) and equal:
        return Level(cell.estimate, cell.planned, cell.decimals)
    if not isinstance(cell, VerdictCell):
        return cell
    mark = MARKS.get(cell.comparison.reading.verdict)
    if mark is None or cell.comparison.withheld:
        return Coloured(cell.words)
    return Coloured(f"{mark.symbol} {cell.words}", mark.colour)
