"""Which columns of a table a page of two columns has room for, and how wide each is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ablations.analysis.tables.cells import Table
from ablations.analysis.tables.latex.widths import head_width, lines, longest_word, number_width, width

MOST_COLUMNS = 7
COLUMN = 198.0
"""Points of a column of a two-column article on letter paper, the narrowest in use."""
PAGE = 405.0
"""Points of both its columns."""
GAP = 6.0
"""Points between two columns of a table, at least."""

_MOST_LINES = 3  # of an entry in a narrow table: more are a heap
_WORD = (48.0, 72.0)  # points that a column of words has at least, and that one word may claim


class Layout(NamedTuple):
    """How a table is laid out.

    Attributes:
        places: of the columns that are shown.
        widths: of each, in points.
        spans: whether the table spans both columns of the page.
        small: whether what stands behind ± is a subscript.
        gap: points between two columns of the table.
        fits: whether the page is as wide as the table.
    """

    places: tuple[int, ...]
    widths: tuple[float, ...]
    spans: bool
    small: bool
    gap: float = GAP
    fits: bool = True

    @property
    def total(self) -> float:
        """The width of the table in points."""
        return _total(self.widths, self.gap)


def lay_out(table: Table, *, chosen: bool = False) -> Layout:
    """Lay a table of words out: in one column of a page where it fits, else over both.

    Args:
        table: of `paper_table`.
        chosen: whether a person chose its columns: then none is left out; else those that give way
            (`Column.gives_way`), beyond MOST_COLUMNS and where the page has no room for them.
    """
    places = list(range(len(table.columns)))
    while not chosen and sum(not table.columns[place].narrow for place in places) > MOST_COLUMNS:
        places.remove(_first_to_go(table, places))
    for small in (False, True):
        widths = _widths(table, places, COLUMN, small)
        if widths is not None and _tallest(table, places, widths) <= _MOST_LINES:
            return Layout(tuple(places), tuple(widths), spans=False, small=small)
    while (widths := _widths(table, places, PAGE, False)) is None and not chosen and len(places) > 1:
        places.remove(_first_to_go(table, places))
    if widths is None:
        least = tuple(_least(table, place, False) for place in places)
        return Layout(tuple(places), least, spans=True, small=False, fits=False)
    gap = 2 * GAP if _total(widths, 2 * GAP) <= PAGE else GAP
    return Layout(tuple(places), tuple(widths), spans=True, small=False, gap=gap)


def _first_to_go(table: Table, places: Sequence[int]) -> int:
    giving = [place for place in places[1:] if table.columns[place].gives_way] or places[1:]
    return min(giving, key=lambda place: (table.columns[place].gives_way, -place))


def _total(widths: Sequence[float], gap: float = GAP) -> float:
    return sum(widths) + gap * (len(widths) - 1)


def _widths(table: Table, places: Sequence[int], room: float, small: bool) -> list[float] | None:
    """Return the widths of columns that share so many points; None where they have no room."""
    natural = [_natural(table, place, small) for place in places]
    least = [_least(table, place, small) for place in places]
    spare = room - _total(least)
    if spare < 0:
        return None
    wanted = sum(most - few for most, few in zip(natural, least, strict=True))
    share = min(1.0, spare / wanted) if wanted else 0.0
    return [few + share * (most - few) for most, few in zip(natural, least, strict=True)]


def _natural(table: Table, place: int, small: bool) -> float:
    """Return the width at which no entry wraps; heads always may."""
    head = head_width(table.columns[place].head)
    if table.columns[place].align == "right":
        return max(head, *(number_width(text, small=small) for text in _entries(table, place)), 0.0)
    return max(head, *(width(text) for text in _entries(table, place)), 0.0)


def _least(table: Table, place: int, small: bool) -> float:
    natural = _natural(table, place, small)
    if table.columns[place].align == "right":
        return natural
    least, most = _WORD
    word = max((longest_word(text) for text in _entries(table, place)), default=0.0)
    return min(natural, max(least, min(word, most), head_width(table.columns[place].head)))


def _tallest(table: Table, places: Sequence[int], widths: Sequence[float]) -> int:
    words = [(p, w) for p, w in zip(places, widths, strict=True) if table.columns[p].align == "left"]
    return max((len(lines(t, w + 0.1)) for p, w in words for t in _entries(table, p)), default=1)


def _entries(table: Table, place: int) -> list[str]:
    return [row.cells[place].text() for row in table.rows]
