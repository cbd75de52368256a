"""Where a program leaves its metrics: the registry of readers, and those that read what it printed or wrote as text."""

from __future__ import annotations

import csv
import io
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from typing_extensions import Self

from ablations.errors import StudyError
from ablations.experiments.fields.checks import check_fields, choice_field, mapping_field, text_field
from senet_core.bounded import MIB, read_bounded

MOST_BYTES = 256 * MIB
"""Limit of what a program prints, or of a file that it leaves, where its metrics are looked for."""

AT = ("only", "last", "first", "lowest", "highest")
"""Which of several values counts; `only` takes several for a failure."""


@dataclass(frozen=True)
class Left:
    """What a program that ended has left.

    Attributes:
        folder: of the trial.
        printed: the file with what it printed, to both streams.
        since: where in that file this attempt begins.
    """

    folder: Path
    printed: Path
    since: int


class NotMeasured(ValueError):
    """A metric that is missing, no number, or there several times; the message says which and where."""


class Reader(ABC):
    """One way to find metrics.

    Attributes:
        name: the field of `read:` that asks for it.
    """

    name: ClassVar[str]

    def __init__(self, value: object, keys: Mapping[str, str], at: str) -> None:
        self.keys, self.at = keys, at
        self.parse(value)

    @abstractmethod
    def parse(self, value: object) -> None:
        """Take over the value of the field.

        Raises:
            StudyError: it is wrong.
        """

    def environment(self, folder: Path) -> Mapping[str, str]:
        """Return variables that the program needs so that its metrics are found."""
        return {}

    def only(self, names: Collection[str]) -> Self:
        """Return a reader of these metrics alone, which passes over the others."""
        fewer = copy(self)
        fewer.keys = {name: key for name, key in self.keys.items() if name in names}
        return fewer

    @abstractmethod
    def read(self, left: Left) -> dict[str, float]:
        """Return the metrics by name.

        Raises:
            NotMeasured: one is not there as it should be.
        """


READERS: dict[str, type[Reader]] = {}


def reader(kind: type[Reader]) -> type[Reader]:
    """Add a reader to the registry, as a decorator."""
    READERS[kind.name] = kind
    return kind


def parse_read(value: object, keys: Mapping[str, str]) -> Reader:
    """Return the reader of a field such as `{json: metrics.json}` or `{regex: "accuracy ([0-9.]+)", at: last}`.

    Args:
        value: of the field.
        keys: what each metric is called where it is read.

    Raises:
        StudyError: there is no such reader, or its value is wrong.
    """
    given = mapping_field("experiment.read", value)
    at = choice_field("at of experiment.read", given.pop("at", AT[0]), AT)
    check_fields("experiment.read", given, READERS)
    if len(given) != 1:
        raise StudyError(
            f"experiment.read takes one of {', '.join(READERS)}, got {', '.join(given) or 'none'}"
        )
    [(name, said)] = given.items()
    return READERS[name](said, keys, at)


def chosen(name: str, values: Sequence[Any], at: str, where: str) -> float:
    """Return which of several values of a metric counts.

    Raises:
        NotMeasured: there is none, several where one is meant, or one that is no number.
    """
    if not values:
        raise NotMeasured(f"{name} is not in {where}")
    if at == "only" and len(values) > 1:
        raise NotMeasured(
            f"{name} is in {where} {len(values)} times, and which one counts is not said: give read.at"
            f" ({', '.join(AT[1:])})"
        )
    numbers = [_number(name, value, where) for value in values]
    picks = {"only": numbers[0], "first": numbers[0], "last": numbers[-1]}
    return picks[at] if at in picks else min(numbers) if at == "lowest" else max(numbers)


def _number(name: str, value: object, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise NotMeasured(f"{name} in {where} is no number: {value!r}")
    try:
        return float(value)
    except ValueError:
        raise NotMeasured(f"{name} in {where} is no number: {value!r}") from None


def content_of(path: Path, name: str) -> str:
    """Return the text of a file that a program left.

    Raises:
        NotMeasured: it cannot be read.
    """
    try:
        return read_bounded(path, MOST_BYTES).decode("utf-8", errors="replace")
    except OSError as error:
        raise NotMeasured(f"it left no {name} that can be read: {error.strerror or error}") from error


def inner_path(what: str, value: object) -> str:
    """Return a path within the trial's folder.

    Raises:
        StudyError: it leads out of that.
    """
    path = text_field(what, value)
    if Path(path).is_absolute() or ".." in Path(path).parts:
        raise StudyError(f"{what} is within the trial's folder ({{folder}} in the command), got {path!r}")
    return path


@reader
class JsonReader(Reader):
    """A JSON file in the trial's folder; `key: eval.accuracy` of a metric looks into it."""

    name = "json"

    def parse(self, value: object) -> None:
        """Take the file's name."""
        self._file = inner_path("experiment.read.json", value)

    def read(self, left: Left) -> dict[str, float]:
        """Return the metrics; a list has several values."""
        text = content_of(left.folder / self._file, self._file)
        try:
            content = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise NotMeasured(f"{self._file} is no JSON: {error}") from error
        return {name: self._one(name, key, content) for name, key in self.keys.items()}

    def _one(self, name: str, key: str, content: Any) -> float:
        found = content.get(key, content) if isinstance(content, dict) else content
        if found is content:
            for part in key.split("."):
                if not isinstance(found, dict) or part not in found:
                    has = ", ".join(map(str, found)) if isinstance(found, dict) else type(found).__name__
                    raise NotMeasured(f"{name} is not in {self._file}, which has {has[:200] or 'nothing'}")
                found = found[part]
        return chosen(name, found if isinstance(found, list) else [found], self.at, self._file)


@reader
class RegexReader(Reader):
    """What the program prints, by a regular expression with one group; `{accuracy: ..., loss: ...}` for several."""

    name = "regex"

    def parse(self, value: object) -> None:
        """Take one expression for the one metric, or one for each."""
        if isinstance(value, str):
            if len(self.keys) != 1:
                raise StudyError(
                    f"experiment.read.regex: give an expression for each metric: {', '.join(self.keys)}"
                )
            value = dict.fromkeys(self.keys, value)
        given = mapping_field("experiment.read.regex", value)
        check_fields("experiment.read.regex", given, self.keys, self.keys)
        self._expressions = {name: self._compiled(name, text) for name, text in given.items()}

    def _compiled(self, name: str, text: object) -> re.Pattern[str]:
        what = f"experiment.read.regex of {name}"
        if not isinstance(text, str):
            raise StudyError(f"{what} must be a text, got {text!r}")
        try:
            found = re.compile(text, re.MULTILINE)
        except re.error as error:
            raise StudyError(f"{what} is no regular expression: {error}, got {text!r}") from error
        if found.groups != 1:
            raise StudyError(
                f"{what} must have one group, which is the number, and has {found.groups}: {text!r}"
            )
        return found

    def read(self, left: Left) -> dict[str, float]:
        """Return what the expressions find in what this attempt printed."""
        try:
            printed = read_bounded(left.printed, MOST_BYTES)[left.since :].decode("utf-8", errors="replace")
        except OSError as error:
            raise NotMeasured(f"what it printed cannot be read: {error.strerror or error}") from error
        return {
            name: chosen(name, self._expressions[name].findall(printed), self.at, "what it printed")
            for name in self.keys
        }


@reader
class CsvReader(Reader):
    """A CSV file in the trial's folder, with a column for each metric."""

    name = "csv"

    def parse(self, value: object) -> None:
        """Take the file's name."""
        self._file = inner_path("experiment.read.csv", value)

    def read(self, left: Left) -> dict[str, float]:
        """Return the metrics; empty fields are passed over, as loggers leave them."""
        text = content_of(left.folder / self._file, self._file)
        first = text.partition("\n")[0]
        separator = max(",;\t", key=first.count)
        rows = list(csv.DictReader(io.StringIO(text), delimiter=separator))
        found = {}
        for name, key in self.keys.items():
            if not rows or key not in rows[0]:
                has = ", ".join(map(str, rows[0])) if rows else "no rows"
                raise NotMeasured(f"{name} is no column of {self._file}, which has {has[:200]}")
            values = [row[key] for row in rows if row[key] not in (None, "")]
            found[name] = chosen(name, values, self.at, self._file)
        return found
