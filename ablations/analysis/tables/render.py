"""One table as Markdown, HTML, and CSV for programs; `screen` shows it on a terminal, `latex` sets it for a paper."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from markupsafe import Markup, escape

from ablations.analysis.tables.cells import Code, Coloured, Column, Table, TableCell, TableRow, Value
from ablations.analysis.tables.escape import markdown_code, markdown_escape
from senet_core.errors import printable

_DIGITS = 12  # of numbers in CSV files
_FORMULAS = ("=", "+", "-", "@", "\t", "\n")


def to_markdown(table: Table) -> str:
    """Return a Markdown table; the baseline's row is bold. Title and notes are not included."""
    marks = {"left": ":--", "right": "--:"}
    lines = [
        _piped(markdown_escape(column.head) for column in table.columns),
        _piped(marks[column.align] for column in table.columns),
    ]
    for row in table.rows:
        entries = [_markdown_cell(cell) for cell in row.cells]
        lines.append(_piped(f"**{e}**" if row.kind == "baseline" else e for e in entries))
    return "\n".join(lines)


def to_html(table: Table) -> Markup:
    """Return an HTML table, every string escaped; rows carry their kind as a class, numbers their value to sort by."""
    heads = Markup("").join(
        Markup('<th class="{}">{}</th>').format(column.align, _html_head(column)) for column in table.columns
    )
    rows = Markup("\n").join(
        Markup('<tr class="{}">{}</tr>').format(row.kind, _html_cells(table, row)) for row in table.rows
    )
    return Markup("<table>\n<thead><tr>{}</tr></thead>\n<tbody>\n{}\n</tbody>\n</table>").format(heads, rows)


def to_csv(table: Table) -> str:
    """Return CSV; a mean becomes the columns _mean, _sd, _n, _lo and _hi.

    Numbers have twelve significant digits: the last four of a double depend on the order in which a processor's vector
    units add, and a record is to give the same file on every machine.
    """
    records = [{head: _rounded(value) for head, value in record.items()} for record in table.records] or [
        {
            column.key + suffix: _rounded(value)
            for column, cell in zip(table.columns, row.cells, strict=True)
            for suffix, value in cell.values().items()
        }
        for row in table.rows
    ]
    heads = list(dict.fromkeys(head for record in records for head in record))
    text = io.StringIO()
    writer = csv.DictWriter(text, heads, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue()


def _rounded(value: Value) -> Value:
    if isinstance(value, str):
        text = printable(value)
        return (
            f"'{text}" if text.startswith(_FORMULAS) and len(text) > 1 else text
        )  # a spreadsheet would compute it
    return float(f"{value:.{_DIGITS}g}") if isinstance(value, float) else value


def _html_head(column: Column) -> Markup:
    """Return a head, which over marks may be folded where a name has an underscore."""
    return (
        Markup("_<wbr>").join(map(escape, column.head.split("_"))) if column.narrow else escape(column.head)
    )


def _html_cells(table: Table, row: TableRow) -> Markup:
    return Markup("").join(
        Markup('<td class="{}{}"{}>{}</td>').format(
            column.align, " prose" * column.prose, _html_value(cell), _html_cell(cell)
        )
        for column, cell in zip(table.columns, row.cells, strict=True)
    )


def _html_value(cell: TableCell) -> Markup:
    """Return the attributes of a cell: the number that a column is sorted by, and the colour of a verdict."""
    value = next((v for v in cell.values().values() if isinstance(v, int | float)), None)
    said = Markup("") if value is None else Markup(' data-value="{}"').format(f"{value:.{_DIGITS}g}")
    if isinstance(cell, Coloured) and cell.colour:
        said += Markup(' style="color: {}"').format(cell.colour)
    return said


def _html_cell(cell: TableCell) -> Markup:
    return Markup("<code>{}</code>").format(cell.text()) if isinstance(cell, Code) else escape(cell.text())


def _markdown_cell(cell: TableCell) -> str:
    return markdown_code(cell.text()) if isinstance(cell, Code) else markdown_escape(cell.text())


def _piped(entries: Iterable[str]) -> str:
    return "| " + " | ".join(entries) + " |"
