"""Reads results that someone else wrote: a text file of columns with one row for each run."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from senet_core.bounded import MIB, read_bounded
from senet_core.errors import UserError, unknown

MOST_BYTES = 32 * MIB
"""Limit of a file of results: about a million runs."""

_SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab"}
_MISSING = {"", "na", "n/a", "nan", "null", "none"}
_WHOLE = re.compile(r"[+-]?\d{1,18}(?:\.0+)?")  # longer ones are names: as numbers, two could become one
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+(?:[eE][+-]?\d+)?")


@dataclass(frozen=True)
class Columns:
    """Which columns of a file are meant; `task` may be None for files of one task."""

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

    In files separated by semicolons or tabs numbers may have a decimal comma.

    Args:
        path: the file.
        columns: names in its first line; a column `task` is used where there is one, even if not named here.

    Raises:
        UserError: the first thing that is wrong, with its line.
    """
    name, lines, separator = _lines(path)
    header = [field.strip() for _, fields in lines[:1] for field in fields]
    wanted = {"variant": columns.variant, "seed": columns.seed, "value": columns.value}
    if columns.task is not None or "task" in header:
        wanted["task"] = columns.task or "task"
    paths = {role: _place(name, header, column, role) for role, column in wanted.items()}
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
    return _made(name, rows, separator, has_tasks="task" in wanted)


def _lines(path: Path) -> tuple[str, list[tuple[int, list[str]]], str]:
    name = repr(str(path))
    try:
        content = read_bounded(path, MOST_BYTES)
    except OSError as error:
        raise UserError(f"cannot read {name}: {error.strerror or error}") from error
    try:
        text = content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{name} is not a text file in UTF-8") from error
    if "\0" in text:
        raise UserError(f"{name} is not a text file in UTF-8")
    first = next((line for line in text.splitlines() if line.strip()), None)
    if first is None:
        raise UserError(f"{name} is empty")
    separator = max(_SEPARATORS, key=lambda mark: len(next(csv.reader([first], delimiter=mark))))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        lines = [(reader.line_num, fields) for fields in reader if any(field.strip() for field in fields)]
    except csv.Error as error:
        raise UserError(f"{name}, line {reader.line_num}: {error}") from error
    return name, lines, separator


def _place(name: str, header: Sequence[str], column: str, role: str) -> int:
    if column not in header:
        known = ", ".join(header)
        if len(header) == 1:
            raise UserError(
                f"{name} has one column, {known!r}; columns are separated by comma, semicolon or tab"
            )
        raise UserError(
            f"{name}: {unknown('column', column, header)}; `columns.{role}=NAME` says which is meant"
        )
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
    try:
        value = float(text.replace(",", ".") if commas and _DECIMAL_COMMA.fullmatch(text) else text)
    except ValueError:
        hint = "; numbers have a decimal point" if "," in text else ""
        raise UserError(f"{name}, line {line}: the value {text!r} is not a number{hint}") from None
    if not math.isfinite(value):
        raise UserError(
            f"{name}, line {line}: the value {text!r} is not finite; leave it empty for a failed run"
        )
    return value
