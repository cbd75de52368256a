"""What a mark may ask of a source, and the answer as it stands in the document.

    FACT                         trials, hours, core hours, commits, processor ...
    TABLE, ROW, COLUMN           as the report shows it: "−0.31 [−0.52, −0.10]"
    TABLE, ROW, COLUMN PART      one number of it: `difference value`, `top1 mean`, `top1 sd`, `top1 interval`
    TABLE, smallest, COLUMN PART        likewise `largest`: over the rows of a table
    TABLE, how many, COLUMN VALUE       rows: `verdict undetermined`
    table TABLE, notes TABLE, answer, page NAME     whole lines

Tables, columns and parts are called as in reports/STUDY/tables/TABLE.csv. What follows a semicolon changes how a number
is shown: `; 1 decimal`, `; without sign`; and of a table some columns and rows: `; columns variant, top1, verdict`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from ablations.analysis.tables.cells import (
    NOTHING,
    Code,
    PValue,
    Table,
    TableCell,
    TableRow,
    Value,
    fixed,
    p_text,
)
from ablations.analysis.tables.escape import markdown_code, markdown_escape
from ablations.analysis.tables.render import to_markdown
from senet_core.errors import UserError, unknown
from tools.quoting.sources import QuotedSource

Entry = TypeVar("Entry")
_EXTREMES: Mapping[str, Callable[[Sequence[float]], float]] = {"smallest": min, "largest": max}
_HOW_MANY = "how many"
_DECIMALS = re.compile(r"(\d) decimals?")


@dataclass(frozen=True)
class _Style:
    """How a number is to be shown; None is as in the report."""

    decimals: int | None = None
    sign: bool = True


def answer(source: QuotedSource, what: str, *, block: bool) -> str:
    """Return what a mark asks for, in Markdown.

    Args:
        source: whom it asks.
        what: it asks for.
        block: whether it stands alone on its line, and holds lines.

    Raises:
        UserError: there is no such thing, it has no value, or it does not fit there.
    """
    kind, _, rest = what.partition(" ")
    if kind in ("table", "notes", "page", "answer") and what not in source.facts:
        if not block:
            raise UserError(f"{what!r} is lines; its mark must stand alone on its line")
        return _lines(source, kind, rest.strip())
    if block:
        raise UserError(f"{what!r} is words within a line; its mark may not stand alone on its line")
    asked, *styles = (part.strip() for part in what.split(";"))
    style = _style(styles)
    if "," not in asked:
        return _whole(_known(source.facts, asked, f"fact of {source.name}"), style)
    if asked.count(",") < 2:
        raise UserError(f"{asked!r} is neither a fact nor TABLE, ROW, COLUMN")
    table, rest = (part.strip() for part in asked.split(",", 1))
    row, column = (part.strip() for part in rest.rsplit(",", 1))
    return _entry(_table(source, table), row, column, style)


def row_names(table: Table) -> dict[str, TableRow]:
    """Return the rows of a table by their first entry, and the second where that is not enough: "SE r=8 / 3"."""
    firsts = [row.cells[0].text() for row in table.rows]
    named: dict[str, TableRow] = {}
    for first, row in zip(firsts, table.rows, strict=True):
        several = firsts.count(first) > 1 and len(row.cells) > 1
        named[f"{first} / {row.cells[1].text()}" if several else first] = row
    return named


def _lines(source: QuotedSource, kind: str, rest: str) -> str:
    if kind == "answer" and not rest:
        return "\n\n".join(markdown_escape(sentence) for sentence in source.sentences)
    if kind == "page":
        return _known(source.pages, rest, f"page of {source.name}")
    name, *changes = (part.strip() for part in rest.split(";"))
    table = _table(source, name)
    if kind == "notes":
        return "\n\n".join(markdown_escape(note) for note in table.notes)
    for change in changes:
        word, _, listed = change.partition(" ")
        if word == "columns":
            table = _with_columns(table, [name.strip() for name in listed.split(",")])
        elif word == "rows":
            table = replace(table, rows=tuple(_listed_rows(table, listed.strip())))
        else:
            raise unknown("change of a table", word, ("columns", "rows"))
    return to_markdown(table)


def _with_columns(table: Table, names: Sequence[str]) -> Table:
    places = [_place(table, name) for name in names]
    rows = tuple(TableRow(tuple(row.cells[place] for place in places), row.kind) for row in table.rows)
    return replace(table, columns=tuple(table.columns[place] for place in places), rows=rows)


def _place(table: Table, column: str) -> int:
    places = {known.key: place for place, known in enumerate(table.columns)}
    return _known(places, column, f"column of table {table.key}")


def _listed_rows(table: Table, listed: str) -> Iterator[TableRow]:
    """Find the rows of a list; their names may hold commas, so the longest name that fits is taken."""
    known, rest = row_names(table), listed
    while rest:
        fits = [name for name in known if rest == name or re.match(rf"{re.escape(name)}\s*,", rest)]
        if not fits:
            raise unknown(f"row of table {table.key}", rest.split(",")[0].strip(), known)
        name = max(fits, key=len)
        yield known[name]
        rest = rest[len(name) :].lstrip().removeprefix(",").lstrip()


def _table(source: QuotedSource, name: str) -> Table:
    return _known(source.tables, name, f"table of {source.name}")


def _known(known: Mapping[str, Entry], name: str, kind: str) -> Entry:
    if name not in known:
        raise unknown(kind, name, known)
    return known[name]


def _entry(table: Table, row: str, column: str, style: _Style) -> str:
    key, _, part = (word.strip() for word in column.partition(" "))
    place = _place(table, key)
    if row == _HOW_MANY:
        return _count([r.cells[place] for r in table.rows], part)
    if row in _EXTREMES:
        name = part or "value"
        every = [(r.cells[place], _parts(r.cells[place]).get(name)) for r in table.rows]
        known = [(cell, value) for cell, value in every if value is not None]
        if not known:
            raise unknown(f"part of {key}", name, _parts(table.rows[0].cells[place]))
        numbers = [value for _, value in known if isinstance(value, int | float)]
        return _shown(known[0][0], name, _EXTREMES[row](numbers), style)
    cell = _known(row_names(table), row, f"row of table {table.key}").cells[place]
    if not part:
        return _whole(cell, style)
    parts = _parts(cell)
    if part == "interval" and "lo" in parts:
        ends = [_shown(cell, end, parts[end], style) for end in ("lo", "hi")]
        return markdown_escape(f"[{ends[0]}, {ends[1]}]")
    if part not in parts:
        raise unknown(f"part of {key}", part, [*parts, *(["interval"] if "lo" in parts else [])])
    return _shown(cell, part, parts[part], style)


def _count(rows: Sequence[TableCell], wanted: str) -> str:
    values = [str(next(iter(row.values().values()))) for row in rows]
    if wanted not in values:
        raise unknown("value of that column", wanted, dict.fromkeys(values))
    return str(values.count(wanted))


def _whole(row: TableCell, style: _Style) -> str:
    """Show an entry as the report does, or with other decimals."""
    if not style.sign or (style.decimals is not None and not hasattr(row, "decimals")):
        return _shown(row, "value", _parts(row).get("value"), style)
    shown = row if style.decimals is None else replace(row, decimals=style.decimals)  # type: ignore[type-var]
    text = shown.text()
    if text == NOTHING:
        raise UserError("there is no value in that place")
    return markdown_code(text) if isinstance(row, Code) else markdown_escape(text)


def _parts(row: TableCell) -> dict[str, Value]:
    parts = {suffix.removeprefix("_") or "value": value for suffix, value in row.values().items()}
    lo, hi = parts.get("lo"), parts.get("hi")
    if isinstance(lo, int | float) and isinstance(hi, int | float):
        parts["half"] = (hi - lo) / 2
    return parts


def _shown(row: TableCell, part: str, value: Value, style: _Style) -> str:
    if value is None:
        raise UserError("there is no value in that place")
    if isinstance(value, str):
        if style != _Style():
            raise UserError(f"{value!r} is not a number, whose decimals and sign could be chosen")
        return markdown_escape(value)
    value = value if style.sign else abs(value)
    if style.decimals is None and isinstance(value, int):
        return fixed(value, 0)
    if style.decimals is None and isinstance(row, PValue):
        return p_text(value)
    decimals = getattr(row, "decimals", 2) if style.decimals is None else style.decimals
    signed = part == "extra_percent" or (bool(getattr(row, "signed", False)) and part not in ("half", "sd"))
    return fixed(value, decimals, signed and style.sign)


def _style(words: Sequence[str]) -> _Style:
    style = _Style()
    for word in words:
        found = _DECIMALS.fullmatch(word)
        if found is not None:
            style = replace(style, decimals=int(found[1]))
        elif word == "without sign":
            style = replace(style, sign=False)
        else:
            raise unknown("way to show a number", word, ("N decimals", "without sign"))
    return style
