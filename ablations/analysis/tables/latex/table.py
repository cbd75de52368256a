r"""One table as a file to `\input` into a paper: caption, label, and a tabular with the lines of booktabs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ablations.analysis.tables.cells import NOTHING, Code, Table, TableRow
from ablations.analysis.tables.latex.caption import caption_of
from ablations.analysis.tables.latex.cells import Spread, paper_table
from ablations.analysis.tables.latex.escape import latex_code, latex_escape
from ablations.analysis.tables.latex.layout import PAGE, Layout, lay_out
from ablations.analysis.tables.latex.widths import INDENT, head_lines, lines
from senet_core.errors import UserError

_THIN, _PER_CENT = r"\,", r"\%"

_PLAIN = re.compile(r"[0-9.]+")  # an uncertainty that is a number alone
_LABEL = re.compile(r"[A-Za-z0-9:._/+-]+")


@dataclass(frozen=True)
class PaperStyle:
    """How a paper shows a table.

    Attributes:
        columns: to show, by key or head, in this order; None for the few that papers have.
        spread: what stands behind ±: "interval" or "sd".
        caption: plain text; None for one that says n, interval, correction, and over what they hold.
        label: None for "tab:KEY", with the table's key.
    """

    columns: tuple[str, ...] | None = None
    spread: Spread = "interval"
    caption: str | None = None
    label: str | None = None

    def __post_init__(self) -> None:
        if self.label is not None and not _LABEL.fullmatch(self.label):
            raise UserError(f"a label has letters, digits and : . _ - / + alone, not {self.label!r}")


AS_PAPERS = PaperStyle()


def latex_table(table: Table, style: PaperStyle = AS_PAPERS) -> str:
    r"""Return a table as a float for a paper, which needs the package booktabs alone.

    It is a `table` where one column of a two-column page has room for it, else a `table*` over both.
    """
    shown = paper_table(table, style.columns, style.spread)
    layout = lay_out(shown, chosen=style.columns is not None)
    shown = _part(shown, layout)
    caption = caption_of(table, shown, style.spread) if style.caption is None else style.caption
    name = "table*" if layout.spans else "table"
    label = style.label or f"tab:{table.key}"
    return "\n".join(
        [
            rf"\begin{{{name}}}",
            r"\centering",
            r"\setlength{\belowcaptionskip}{4pt}",  # it stands above, where article leaves no room
            rf"\caption{{{latex_escape(caption).replace(' ' + _PER_CENT, _THIN + _PER_CENT)}}}",
            rf"\label{{{label}}}",
            r"\footnotesize",
            rf"\setlength{{\tabcolsep}}{{{layout.gap / 2:g}pt}}",
            *_tabular(shown, layout),
            rf"\end{{{name}}}",
            "",
        ]
    )


def too_wide(table: Table, style: PaperStyle) -> str | None:
    """Return that the chosen columns are wider than a page, and by how much; None where they fit."""
    layout = lay_out(paper_table(table, style.columns, style.spread), chosen=style.columns is not None)
    if layout.fits:
        return None
    return (
        f"The table {table.key} is about {layout.total:.0f} pt wide, a page has {PAGE:.0f} pt: choose fewer "
        "columns."
    )


def long_table(table: Table) -> str:
    """Return a table that may break over pages, without caption and label."""
    shown = paper_table(table)
    layout = lay_out(shown)
    return "\n".join(_tabular(_part(shown, layout), layout, name="longtable"))


def _part(table: Table, layout: Layout) -> Table:
    rows = tuple(replace(row, cells=tuple(row.cells[place] for place in layout.places)) for row in table.rows)
    return replace(table, columns=tuple(table.columns[place] for place in layout.places), rows=rows)


def _tabular(table: Table, layout: Layout, name: str = "tabular") -> list[str]:
    places = range(len(table.columns))
    align = "".join(column.align[0] for column in table.columns)
    entries = [_column(table, place, layout) for place in places]
    body = [line for row in range(len(table.rows)) for line in _lines([column[row] for column in entries])]
    heads = [
        [latex_escape(line) for line in head_lines(column.head, width + 0.1)]
        for column, width in zip(table.columns, layout.widths, strict=True)
    ]
    tallest = max(map(len, heads))
    heads = [[*[""] * (tallest - len(head)), *head] for head in heads]  # the last lines stand side by side
    return [
        rf"\begin{{{name}}}{{@{{}}{align}@{{}}}}",
        r"\toprule",
        *_lines(heads),
        r"\midrule",
        *([r"\endhead"] if name == "longtable" else []),
        *body,
        r"\bottomrule",
        rf"\end{{{name}}}",
    ]


def _lines(cells: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of one row, of which each cell has some."""
    tall = max(map(len, cells))
    padded = [[*cell, *[""] * (tall - len(cell))] for cell in cells]
    return [" & ".join(line).rstrip() + r" \\" for line in zip(*padded, strict=True)]


def _column(table: Table, place: int, layout: Layout) -> list[list[str]]:
    """Return the lines of each entry of a column."""
    cells = [row.cells[place] for row in table.rows]
    if table.columns[place].align == "right":
        return [[text] for text in _numbers([cell.text() for cell in cells], small=layout.small)]
    found = []
    for row, cell in zip(table.rows, cells, strict=True):
        face = latex_code if isinstance(cell, Code) else _bold if _is_better(table, row) else latex_escape
        parts = lines(cell.text(), layout.widths[place] + 0.1)
        found.append(
            [(r"\quad " if part[:1] == INDENT else "") + face(part.removeprefix(INDENT)) for part in parts]
        )
    return found


def _bold(text: str) -> str:
    return rf"\textbf{{{latex_escape(text)}}}" if text else ""


def _is_better(table: Table, row: TableRow) -> bool:
    """Return whether a row is shown to be better than the baseline; numbers stay as they are, to be aligned."""
    named = [
        cell.text() for cell, column in zip(row.cells, table.columns, strict=True) if column.key == "verdict"
    ]
    return named == ["better"] and any(other.kind == "baseline" for other in table.rows)


def _numbers(texts: Sequence[str], *, small: bool) -> list[str]:
    """Return the entries of a column of numbers, right-aligned with the signs ± below each other."""
    halves = [half if _PLAIN.fullmatch(half := text.partition(" ± ")[2]) else "" for text in texts]
    most = max(map(len, halves), default=0)
    longest = max(halves, key=len, default="")
    found = []
    for text, half in zip(texts, halves, strict=True):
        base = latex_escape(text.partition(" ± ")[0] if half else text)
        if not half:
            room = (
                rf"\phantom{{{_behind(longest, small)}}}"
                if most and text != NOTHING and "[" not in text
                else ""
            )
            found.append(base + room)
            continue
        pad = rf"\phantom{{{'0' * (most - len(half))}}}" if len(half) < most else ""
        found.append(base + _behind(half, small, pad))
    return found


def _behind(half: str, small: bool, pad: str = "") -> str:
    return rf"$_{{\pm {pad}{half}}}$" if small else rf"\,$\pm$\,{pad}{half}"
