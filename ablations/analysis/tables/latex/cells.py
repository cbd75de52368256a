"""The cells of a table as a paper has them: one uncertainty behind ±, a number of seeds of its own, verdicts alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import compress
from typing import Literal

from ablations.analysis.stats.paired import Estimate
from ablations.analysis.tables.cells import (
    NOTHING,
    Code,
    Column,
    Difference,
    Mean,
    Table,
    TableCell,
    TableRow,
    Text,
    fixed,
)
from ablations.analysis.tables.comparisons.verdicts import VerdictCell
from senet_core.errors import UserError, unknown

Spread = Literal["interval", "sd"]
SPREADS: tuple[Spread, ...] = ("interval", "sd")
"""What may stand behind ±: the half-width of the 95 % interval, or the standard deviation over seeds."""

SEEDS = Column("n", "n")


def paper_table(table: Table, columns: Sequence[str] | None = None, spread: Spread = "interval") -> Table:
    """Return a table of words alone, as a paper shows them.

    Args:
        table: as reports have it.
        columns: to show, by key or head, in this order; None for those that papers have (`Column.in_paper`), and the
            numbers of seeds where they differ.
        spread: what stands behind ±.

    Raises:
        UserError: a column or a spread is not known, or named twice.
    """
    if spread not in SPREADS:
        raise unknown("spread", spread, SPREADS)
    counted = _with_seeds(table)
    places = _default_places(counted) if columns is None else _places(counted, columns)
    rows = tuple(
        TableRow(tuple(_paper_cell(row.cells[place], spread) for place in places), row.kind)
        for row in counted.rows
    )
    return replace(counted, columns=tuple(counted.columns[place] for place in places), rows=rows, records=())


def seeds_of(table: Table) -> tuple[int, ...]:
    """Return over how many seeds each row's first mean is; nothing where the table has no means."""
    found = (next((cell for cell in row.cells if isinstance(cell, Mean)), None) for row in table.rows)
    return tuple(mean.estimate.n for mean in found if mean is not None)


def _with_seeds(table: Table) -> Table:
    """Return a table with a column of the numbers of seeds behind its first mean; as it is where it has none."""
    means = [place for row in table.rows for place, cell in enumerate(row.cells) if isinstance(cell, Mean)]
    if not means or any(column.key == SEEDS.key for column in table.columns):
        return table
    at = min(means) + 1
    columns = (*table.columns[:at], SEEDS, *table.columns[at:])
    rows = tuple(
        replace(row, cells=(*row.cells[:at], _count(row.cells[at - 1]), *row.cells[at:]))
        for row in table.rows
    )
    return replace(table, columns=columns, rows=rows)


def _count(cell: TableCell) -> Text:
    if not isinstance(cell, Mean):
        return Text(None)
    n = cell.estimate.n
    return Text(f"{n}" if n == cell.planned else f"{n}/{cell.planned}")


def _default_places(table: Table) -> list[int]:
    equal = len(set(seeds_of(table))) < 2
    shown = [column.in_paper and not (column is SEEDS and equal) for column in table.columns]
    return list(compress(range(len(shown)), shown))


def _places(table: Table, names: Sequence[str]) -> list[int]:
    known = {column.head: place for place, column in enumerate(table.columns)}
    known |= {column.key: place for place, column in enumerate(table.columns)}
    places: list[int] = []
    for name in names:
        if name not in known:
            raise unknown("column", name, [_name(column) for column in table.columns])
        if known[name] in places:
            raise UserError(f"the column {name!r} is named twice")
        places.append(known[name])
    return places


def _name(column: Column) -> str:
    """Return what a column is called by whoever asks for it: its head, where that is one word."""
    return column.head if re.fullmatch(r"\w+", column.head) else column.key


def _paper_cell(cell: TableCell, spread: Spread) -> Text:
    if isinstance(cell, Code):
        return cell
    return Text(_paper_text(cell, spread))


def _paper_text(cell: TableCell, spread: Spread) -> str:
    if isinstance(cell, Mean):
        return _mean(cell.estimate, cell.decimals, spread)
    if isinstance(cell, Difference):
        return _difference(cell, spread)
    if isinstance(cell, VerdictCell):
        return cell.comparison.reading.verdict
    return cell.text()


def _mean(e: Estimate, decimals: int, spread: Spread) -> str:
    if e.mean is None:
        return NOTHING
    half = e.half_width if spread == "interval" else e.sd
    return fixed(e.mean, decimals) + ("" if half is None else f" ± {fixed(half, decimals)}")


def _difference(cell: Difference, spread: Spread) -> str:
    """Return a difference with ± where its interval is as wide on both sides, else with the ends in brackets."""
    if cell.mean is None or cell.lo is None or cell.hi is None:
        return cell.text()
    half = (cell.hi - cell.lo) / 2
    if spread == "sd" and cell.sd is not None:
        half = cell.sd
    elif abs(cell.lo + half - cell.mean) > 0.05 * 10**-cell.decimals:
        return cell.text()
    return f"{fixed(cell.mean, cell.decimals, cell.signed)} ± {fixed(half, cell.decimals)}"
