"""A table on the screen: its columns share the width that there is, and give way in a stated order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ablations.analysis.tables.cells import Coloured, Column, Table, TableRow, Text

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult

_EDGE = 2  # blanks and lines of a column beside its entries
_WORDS = 20  # cells that a word may claim before it is folded
_SHORT = 12  # cells up to which words stay on one line


@dataclass(frozen=True)
class ScreenTable:
    """A table as rich prints it, at any width.

    Numbers are never cut or folded. Where a table does not fit, words wrap first; then the columns that may give way
    (`Column.gives_way`) are left out, and a line below says which.
    """

    table: Table

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Lay the table out for the width of this console."""
        from rich import box
        from rich.table import Table as RichTable
        from rich.text import Text as RichText

        kept, widths = _fitted(self.table, options.max_width)
        shown = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
        for place, width in zip(kept, widths, strict=True):
            column = self.table.columns[place]
            shown.add_column(RichText(column.head), justify=column.align, width=width, overflow="fold")
        styles = {"baseline": "bold", "plain": "dim", "variant": ""}
        for row in self.table.rows:
            cells = [row.cells[place] for place in kept]
            entries = (RichText(c.text(), c.colour if isinstance(c, Coloured) else "") for c in cells)
            shown.add_row(*entries, style=styles[row.kind])
        yield shown
        left_out = [column.head for place, column in enumerate(self.table.columns) if place not in kept]
        if left_out:
            heads = "; ".join(" ".join(head.split()) for head in left_out)
            yield RichText(f"Not shown in {options.max_width} columns: {heads}.\n")


def fits(table: Table, width: int) -> bool:
    """Return whether a table stands in this width as it is, with every column and every entry on one line."""
    return sum(_natural(table, place) + _EDGE for place in range(len(table.columns))) <= width


def _fitted(table: Table, width: int) -> tuple[list[int], list[int]]:
    """Return the columns that are shown, by their place, and the width of each."""
    kept = list(range(len(table.columns)))
    natural = [_natural(table, place) for place in kept]
    least = [_least(table, place) for place in kept]
    while sum(least[place] + _EDGE for place in kept) > width:
        giving = [place for place in kept if table.columns[place].gives_way]
        if not giving:
            break
        kept.remove(min(giving, key=lambda place: (table.columns[place].gives_way, -place)))
    widths = {place: least[place] for place in kept}
    spare = width - sum(size + _EDGE for size in widths.values())
    while spare > 0 and (narrow := [place for place in kept if widths[place] < natural[place]]):
        widths[min(narrow, key=lambda place: widths[place] / natural[place])] += 1
        spare -= 1
    return kept, [widths[place] for place in kept]


def _natural(table: Table, place: int) -> int:
    """Return the width at which nothing in a column wraps."""
    return max(map(_cells, _entries(table, place, table.columns[place].head.split("\n"))), default=1)


def _least(table: Table, place: int) -> int:
    """Return the width that a column needs: that of its numbers, or of the longest of its words."""
    column = table.columns[place]
    heads = max(map(_cells, column.head.split()), default=1)
    if column.align == "right" or column.whole:
        return max(heads, max(map(_cells, _entries(table, place)), default=1))
    words = [word for entry in _entries(table, place) for word in entry.split()]
    return max(heads, min(_WORDS, max(map(_cells, words), default=1)), min(_SHORT, _natural(table, place)))


def _entries(table: Table, place: int, more: Sequence[str] = ()) -> list[str]:
    return [*more, *(line for row in table.rows for line in row.cells[place].text().split("\n"))]


def _cells(text: str) -> int:
    from rich.cells import cell_len

    return cell_len(text)


def text_table(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> ScreenTable:
    """Return a table of words alone.

    Args:
        columns: as many as each row has entries.
        rows: from top to bottom.
    """
    return ScreenTable(Table("", "", tuple(columns), tuple(TableRow(tuple(map(Text, row))) for row in rows)))
