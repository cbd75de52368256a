"""Reads results that someone else wrote: a text file of columns with one row for each run."""

from __future__ import annotations

import codecs
import csv
import io
import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from senet_core.bounded import MIB, read_bounded
from senet_core.errors import UserError, unknown

MOST_BYTES = 32 * MIB
"""Limit of a file of results: about a million runs."""

_SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab"}
_MISSING = {"", "na", "n/a", "nan", "null", "none"}
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}(?:\.0+)?")  # longer ones are names: as numbers, two could become one
_DECIMAL_COMMA = re.compile(r"[+-]?[0-9]*,[0-9]+(?:[eE][+-]?[0-9]+)?")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_INFINITE = re.compile(r"[+-]?inf(?:inity)?", re.IGNORECASE)
_STATED = re.compile(r"sep=([,;\t])")  # Excel's way to state the separator, above the names
_LOOKED_AT = 50  # lines by which the separator is chosen
_ENCODINGS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",  # begins like UTF-16's mark, so it stands before it
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


@dataclass(frozen=True)
class Columns:
    """Which columns of a file are meant.

    `task` is None for the column `task` where there is one, and "" for none even then: the file is one task.
    """

    variant: str = "variant"
    seed: str = "seed"
    value: str = "value"
    task: str | None = None


@dataclass(frozen=True)
class TableFile:
    """A file, read.

    Attributes:
        frame: columns `variant`, `seed`, `value`, and `task` where the file names tasks; a value that the file leaves
            empty is NaN.
        notes: what was taken for granted when reading it, in sentences.
    """

    frame: pd.DataFrame
    notes: tuple[str, ...]


def read_table(path: Path, columns: Columns) -> TableFile:
    """Read a CSV file: separated by commas, semicolons or tabs, with or without a byte-order mark.

    The separator is the one under which the first line has the columns that are meant and the lines below it have as
    many fields; a first line `sep=;` states it. Numbers are digits with a decimal point, and an exponent perhaps
    ("8.25", "-1e-3"); in files separated by semicolons or tabs they may have a decimal comma. An empty value, NA, N/A,
    NaN, null and none are those of a failed run. Seeds are whole numbers below 10^18, or names. Blanks around a field
    do not count, and names are compared in Unicode's composed form.

    Args:
        path: the file, in UTF-8, or with the byte-order mark of UTF-16 or UTF-32.
        columns: names in its first line.

    Raises:
        UserError: the first thing that is wrong, with its line.
    """
    wanted = {"variant": columns.variant, "seed": columns.seed, "value": columns.value}
    if columns.task:
        wanted["task"] = columns.task
    wanted = {role: unicodedata.normalize("NFC", column) for role, column in wanted.items()}
    name, lines, separator = _lines(path, list(wanted.values()))
    header = [field.strip() for _, fields in lines[:1] for field in fields]
    by_itself = columns.task is None and "task" in header and "task" not in wanted.values()
    if by_itself:
        wanted["task"] = "task"
    _refuse_absent(name, header, wanted)
    paths = {role: _place(name, header, column) for role, column in wanted.items()}
    if len(set(paths.values())) < len(paths):
        raise UserError(f"{name}: one column cannot be two things: {', '.join(wanted.values())}")
    rows = []
    for number, fields in lines[1:]:
        if len(fields) != len(header):
            hint = "; a decimal comma needs another separator" if separator == "," else ""
            raise UserError(
                f"{name}, line {number}: {len(fields)} fields, the first line has {len(header)}{hint}"
            )
        rows.append((number, {role: fields[place].strip() for role, place in paths.items()}))
    if not rows:
        raise UserError(f"{name} has a first line and nothing below it")
    made = _made(name, rows, separator, has_tasks="task" in wanted)
    if not by_itself:
        return made
    said = "The column 'task' tells tasks apart, with a table each; an empty `columns.task` takes the file as one."
    return replace(made, notes=(*made.notes, said))


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


def _refuse_absent(name: str, header: Sequence[str], wanted: Mapping[str, str]) -> None:
    """Refuse columns that are not there, all of them at once."""
    absent = {role: column for role, column in wanted.items() if column not in header}
    if not absent:
        return
    known = ", ".join(header)
    if len(header) == 1:
        raise UserError(f"{name} has one column, {known!r}; columns are separated by comma, semicolon or tab")
    flags = [f"`columns.{role}=NAME`" for role in absent]
    if len(absent) == 1:
        (column,) = absent.values()
        raise UserError(f"{name}: {unknown('column', column, header)}; {flags[0]} says which is meant")
    columns = ", ".join(map(repr, absent.values()))
    raise UserError(
        f"{name}: unknown columns {columns}; known: {known}; {' '.join(flags)} say which are meant"
    )


def _place(name: str, header: Sequence[str], column: str) -> int:
    if header.count(column) > 1:
        raise UserError(f"{name} has the column {column!r} more than once")
    return header.index(column)


def _made(
    name: str, rows: Sequence[tuple[int, dict[str, str]]], separator: str, *, has_tasks: bool
) -> TableFile:
    commas = separator != "," and any(_DECIMAL_COMMA.fullmatch(row["value"]) for _, row in rows)
    if commas and any("." in row["value"] for _, row in rows):
        raise UserError(f"{name}: the values have both decimal commas and decimal points")
    whole = all(_WHOLE.fullmatch(row["seed"]) for _, row in rows)
    records: list[tuple[str, str, int | str, float]] = []
    seen: dict[tuple[str, str, int | str], int] = {}
    for number, row in rows:
        for role in ("variant", "seed"):
            if not row[role]:
                raise UserError(f"{name}, line {number}: the {role} is empty")
        seed: int | str = int(row["seed"].partition(".")[0]) if whole else row["seed"]
        task = row.get("task", "")
        value = _number(name, number, row["value"], commas)
        earlier = seen.setdefault((task, row["variant"], seed), number)
        if earlier != number:
            of = f" of task {task!r}" if has_tasks else ""
            raise UserError(
                f"{name}, lines {earlier} and {number}: variant {row['variant']!r}{of} has seed {seed} more than once"
            )
        records.append((task, row["variant"], seed, value))
    frame = pd.DataFrame(records, columns=["task", "variant", "seed", "value"])
    notes = ("Numbers have decimal commas.",) if commas else ()
    return TableFile(frame if has_tasks else frame.drop(columns="task"), notes)


def _number(name: str, line: int, text: str, commas: bool) -> float:
    if text.lower() in _MISSING:
        return math.nan
    plain = text.replace(",", ".") if commas and _DECIMAL_COMMA.fullmatch(text) else text
    if not _NUMBER.fullmatch(plain) and not _INFINITE.fullmatch(plain):
        hint = "; numbers have a decimal point" if "," in text else "; accepted are such as 8.25 and -1e-3"
        raise UserError(f"{name}, line {line}: the value {text!r} is not a number{hint}")
    value = float(plain)
    if not math.isfinite(value):
        raise UserError(
            f"{name}, line {line}: the value {text!r} is not finite; leave it empty for a failed run"
        )
    return value
