"""Results that someone wrote to a text file of columns with one row for each run."""

from __future__ import annotations

import codecs
import csv
import io
import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path

from ablations.analysis.external.asked import Asked
from ablations.analysis.external.folders import is_sqlite
from ablations.analysis.external.runs import Recorded, RecordedRun
from ablations.analysis.external.source import Source
from senet_core.bounded import MIB, read_bounded
from senet_core.errors import UserError, unknown

MOST_BYTES = 32 * MIB
"""Limit of a file of results: about a million runs."""

_SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab"}
_MISSING = {"", "na", "n/a", "nan", "null", "none"}
_DECIMAL_COMMA = re.compile(r"[+-]?[0-9]*,[0-9]+(?:[eE][+-]?[0-9]+)?")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_INFINITE = re.compile(r"[+-]?inf(?:inity)?", re.IGNORECASE)
_STATED = re.compile(r"sep=([,;\t])")  # Excel's way to state the separator, above the names
_OF_EXPORTS = {"Name", "State"}
"""Columns of W&B's table of runs."""
_OF_CHARTS = ("__MIN", "__MAX")
_LOOKED_AT = 50  # lines by which the separator is chosen
_ENCODINGS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",  # begins like UTF-16's mark, so it stands before it
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


class CsvFile(Source):
    """A text file of columns with one row for each run; also the table of runs that W&B exports."""

    name = "csv"
    accepts = "FILE.csv: one row for each run, in columns; also W&B's export of a table of runs"

    def recognises(self, place: str) -> bool:
        """Return whether it is a file at all: what another source knows is asked before."""
        return Path(place).is_file() and not is_sqlite(Path(place))

    def read(self, place: str, asked: Asked) -> Recorded:
        """Read a CSV file: separated by commas, semicolons or tabs, with or without a byte-order mark.

        The separator is the one under which the first line has the columns that are meant and the lines below it have
        as many fields; a first line `sep=;` states it. Numbers are digits with a decimal point, and an exponent perhaps
        ("8.25", "-1e-3"); in files separated by semicolons or tabs they may have a decimal comma. An empty value, NA,
        N/A, NaN, null and none are those of a failed run, and infinite ones those of one that diverged. Seeds are whole
        numbers below 10^18, or names. Blanks around a field do not count, and names are compared in Unicode's composed
        form.

        Args:
            place: the file, in UTF-8, or with the byte-order mark of UTF-16 or UTF-32.
            asked: names in its first line.

        Raises:
            UserError: the first thing that is wrong, with its line.
        """
        roles = [("variant", name) for name in asked.variant or ("variant",)]
        roles += [("seed", asked.seed or "seed"), ("value", asked.metric or "value")]
        roles += [("task", asked.task)] if asked.task else []
        wanted = [column for _, column in roles]
        name, lines, separator = _lines(Path(place), wanted)
        header = [field.strip() for _, fields in lines[:1] for field in fields]
        _refuse_absent(name, header, roles)
        if asked.task is None and "task" in header and "task" not in wanted:
            roles.append(("task", "task"))
        for _, column in roles:
            _refuse_twice(name, header, column)
        if len(set(wanted)) < len(wanted):
            raise UserError(f"{name}: one column cannot be two things: {', '.join(wanted)}")
        rows = _rows(name, header, lines[1:], separator)
        for number, row in rows:
            _refuse_empty(name, number, row, roles)
        runs, notes = _runs(name, rows, wanted[len(asked.variant or "v") + 1], separator)
        return Recorded(name, runs, notes, kind="line", metric=asked.metric or "value")


def _rows(
    name: str, header: Sequence[str], lines: Sequence[tuple[int, list[str]]], separator: str
) -> list[tuple[int, dict[str, str]]]:
    rows = []
    for number, fields in lines:
        if len(fields) != len(header):
            hint = "; a decimal comma needs another separator" if separator == "," else ""
            raise UserError(
                f"{name}, line {number}: {len(fields)} fields, the first line has {len(header)}{hint}"
            )
        rows.append((number, dict(zip(header, (field.strip() for field in fields), strict=True))))
    if not rows:
        raise UserError(f"{name} has a first line and nothing below it")
    return rows


def _refuse_empty(name: str, line: int, row: Mapping[str, str], roles: Sequence[tuple[str, str]]) -> None:
    several = sum(role == "variant" for role, _ in roles) > 1
    for role, column in roles:
        if role in ("variant", "seed") and not row[column]:
            what = f"column {column!r}" if several and role == "variant" else role
            raise UserError(f"{name}, line {line}: the {what} is empty")


def _lines(path: Path, wanted: Sequence[str]) -> tuple[str, list[tuple[int, list[str]]], str]:
    name = repr(str(path))
    try:
        content = read_bounded(path, MOST_BYTES)
    except OSError as error:
        raise UserError(f"cannot read {name}: {error.strerror or error}") from error
    text = unicodedata.normalize("NFC", _decoded(name, content))
    first, _, rest = text.partition("\n")
    stated = _STATED.fullmatch(first.strip('\r" '))
    text = f"\n{rest}" if stated else text  # lines keep their numbers
    if not text.strip():
        raise UserError(f"{name} is empty")
    separator = stated[1] if stated else _separator(text, wanted)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        lines = [(reader.line_num, fields) for fields in reader if any(field.strip() for field in fields)]
    except csv.Error as error:
        raise UserError(f"{name}, line {reader.line_num}: {error}") from error
    return name, lines, separator


def _decoded(name: str, content: bytes) -> str:
    encoding = next((known for mark, known in _ENCODINGS.items() if content.startswith(mark)), "utf-8")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UserError(
            f"{name} is not a text file in UTF-8: line {line} has the byte 0x{content[error.start]:02x}; if it is in"
            " Latin-1 or a code page, save it as UTF-8"
        ) from error
    if "\0" in text:
        raise UserError(f"{name} is not a text file in UTF-8; UTF-16 needs its byte-order mark")
    return text


def _separator(text: str, wanted: Sequence[str]) -> str:
    """Return the separator by which the names are found, and then by which most lines are as long as the first.

    The sniffer of Python's csv goes by the letters of all fields, and takes blanks for it where names have any.
    """
    some = [line for line in text.split("\n") if line.strip()][:_LOOKED_AT]

    def fit(mark: str) -> tuple[int, int, int]:
        try:
            header, *below = csv.reader(some, delimiter=mark)
        except csv.Error:
            return 0, 0, 0
        names = [field.strip() for field in header]
        alike = sum(len(fields) == len(header) for fields in below)
        return sum(name in names for name in wanted), alike if len(header) > 1 else 0, len(header)

    return max(_SEPARATORS, key=fit)


def _refuse_absent(name: str, header: Sequence[str], roles: Sequence[tuple[str, str]]) -> None:
    """Refuse columns that are not there, all of them at once."""
    absent = [(role, column) for role, column in roles if column not in header]
    if not absent:
        return
    known = ", ".join(header)
    if len(header) == 1:
        raise UserError(f"{name} has one column, {known!r}; columns are separated by comma, semicolon or tab")
    if any(column.endswith(_OF_CHARTS) for column in header):
        raise UserError(
            f"{name} is W&B's export of a chart; the export of the table of runs has a row for each run"
        )
    flags = list(dict.fromkeys(f"`columns.{role}=NAME`" for role, _ in absent))
    if len(absent) == 1:
        ((_, column),) = absent
        raise UserError(f"{name}: {unknown('column', column, header)}; {flags[0]} says which is meant")
    columns = ", ".join(repr(column) for _, column in absent)
    raise UserError(
        f"{name}: unknown columns {columns}; known: {known}; {' '.join(flags)} say which are meant"
    )


def _refuse_twice(name: str, header: Sequence[str], column: str) -> None:
    if header.count(column) > 1:
        raise UserError(f"{name} has the column {column!r} more than once")


def _runs(
    name: str, rows: Sequence[tuple[int, dict[str, str]]], column: str, separator: str
) -> tuple[list[RecordedRun], tuple[str, ...]]:
    """Return the runs of a file; in an export of W&B those that did not finish have no result."""
    commas = separator != "," and any(_DECIMAL_COMMA.fullmatch(row[column]) for _, row in rows)
    if commas and any("." in row[column] for _, row in rows):
        raise UserError(f"{name}: the values have both decimal commas and decimal points")
    exported = rows[0][1].keys() >= _OF_EXPORTS
    runs = []
    for number, row in rows:
        settings = {key: text for key, text in row.items() if key != column}
        if commas:  # a learning rate is a number, too
            settings = {
                key: text.replace(",", ".") if _DECIMAL_COMMA.fullmatch(text) else text
                for key, text in settings.items()
            }
        state = row["State"].lower() if exported else ""
        value = _number(name, number, row[column], commas)
        unfinished = "" if state in ("", "finished") else state
        runs.append(RecordedRun(str(number), settings, {column: ((None, value),)}, unfinished))
    said = (
        ("It is W&B's export of a table of runs: those that did not finish have no result.",)
        if exported
        else ()
    )
    return runs, (*said, *(("Numbers have decimal commas.",) if commas else ()))


def _number(name: str, line: int, text: str, commas: bool) -> float:
    if text.lower() in _MISSING:
        return math.nan
    plain = text.replace(",", ".") if commas and _DECIMAL_COMMA.fullmatch(text) else text
    if not _NUMBER.fullmatch(plain) and not _INFINITE.fullmatch(plain):
        hint = "; numbers have a decimal point" if "," in text else "; accepted are such as 8.25 and -1e-3"
        raise UserError(f"{name}, line {line}: the value {text!r} is not a number{hint}")
    value = float(plain)
    if math.isinf(value) and not _INFINITE.fullmatch(plain):
        raise UserError(
            f"{name}, line {line}: the value {text!r:.60} is not finite; leave it empty for a failed run"
        )
    return value
