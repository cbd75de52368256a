"""The picture of all rows in characters, for terminals: the same order, marks and margin as the drawn one."""

from __future__ import annotations

from ablations.analysis.tables.cells import Coloured, Column, Difference, Table, TableRow, Text, fixed
from ablations.analysis.tables.glance.marks import MARKS
from ablations.analysis.tables.glance.rows import GlanceRow, GlanceRows, reach_of

_WIDTH = 25
_BASELINE, _PAPER, _ZERO, _WITHIN, _LINE = "◆", "×", "│", "░", "─"


def strip_table(shown: GlanceRows) -> Table:
    """Return every row with its difference, its picture and its verdict, the best first.

    Args:
        shown: with one row at least.
    """
    low, high = reach_of(shown)
    decimals = shown.metric.decimals
    columns = (
        Column("variant", "variant", "left"),
        *([Column("choice", "choice", "left", gives_way=1)] if shown.several_axes else []),
        Column("picture", _scale(low, high, decimals), "left", whole=True),
        Column("difference", f"{shown.metric.noun},\nto baseline", gives_way=2),
        Column("verdict", "verdict", "left"),
    )
    return Table("glance", "", columns, tuple(_row(row, shown, low, high) for row in shown.rows))


def legend_line(shown: GlanceRows) -> str:
    """Return what the marks are that the verdicts do not explain; "" where there are none."""
    said = []
    low, high = reach_of(shown)
    if shown.margin is not None and _place(-shown.margin, low, high) < _place(shown.margin, low, high):
        said.append(f"{_WITHIN} {shown.metric.with_points(f'±{shown.margin:g}')}: the margin")
    if any(row.published is not None for row in shown.rows):
        said.append(f"{_PAPER} the paper's one run")
    way = "left" if shown.metric.lower_is_better else "right"
    return "   ".join([f"better is to the {way}", *said])


def _row(row: GlanceRow, shown: GlanceRows, low: float, high: float) -> TableRow:
    mark, d = MARKS.get(row.verdict), row.difference
    verdict = f"{mark.symbol} {row.verdict}" if mark is not None else "so far"
    colour = "" if mark is None else mark.colour
    picture = _picture(row, shown, low, high)
    named = (Text(row.label), *([Text(row.choice or None)] if shown.several_axes else []))
    if row.kind == "baseline":
        return TableRow((*named, Text(picture), Text(None), Text("baseline")), "baseline")
    difference = Difference(d.mean, d.lo, d.hi, decimals=shown.metric.decimals)
    return TableRow((*named, Coloured(picture, colour), difference, Coloured(verdict, colour)), row.kind)


def _picture(row: GlanceRow, shown: GlanceRows, low: float, high: float) -> str:
    def place(value: float) -> int:
        return _place(value, low, high)

    characters = [" "] * _WIDTH
    if shown.margin is not None:
        for at in range(place(-shown.margin), place(shown.margin) + 1):
            characters[at] = _WITHIN
    characters[place(0.0)] = _ZERO
    mean, lo, hi = row.difference
    if lo is not None and hi is not None:
        for at in range(place(lo), place(hi) + 1):
            characters[at] = _LINE
        for end, beyond, arrow in ((0, lo < low, "‹"), (_WIDTH - 1, hi > high, "›")):
            if beyond:
                characters[end] = arrow
    if row.published is not None:
        characters[place(row.published)] = _PAPER
    mark = MARKS.get(row.verdict, MARKS["undetermined"])
    characters[place(mean)] = _BASELINE if row.kind == "baseline" else mark.symbol
    return "".join(characters)


def _place(value: float, low: float, high: float) -> int:
    """Return the character at which a value lies."""
    return min(_WIDTH - 1, max(0, int((value - low) / (high - low) * _WIDTH)))


def _scale(low: float, high: float, decimals: int) -> str:
    """Return the numbers at both ends."""
    left, right = (fixed(end, decimals, signed=True) for end in (low, high))
    return f"{left}{right:>{max(_WIDTH - len(left), len(right) + 1)}}"
