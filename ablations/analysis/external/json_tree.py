"""JSON and its like as flat names: {"val": {"acc": 0.9}} has "val.acc"."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ablations.analysis.external.asked import compose
from ablations.analysis.external.folders import content_of_file
from ablations.analysis.external.runs import Points, as_number, as_text
from senet_core.bounded import MIB
from senet_core.errors import UserError, one_line

MOST_BYTES = 8 * MIB
"""Limit of one file of JSON or YAML."""
MOST_VALUES = 100_000
MOST_CHARACTERS = 500
"""Limits of the values in it, and of a name, which is repeated for everything inside it."""


def read_json(path: Path) -> dict[str, Any]:
    """Return the values of a file that holds one JSON object, by their names joined with dots.

    Raises:
        UserError: it cannot be read, is no JSON object, or has a name twice.
    """
    return flat(parse_json(content_of_file(path, MOST_BYTES), repr(str(path))), repr(str(path)))


def parse_json(content: bytes | str, where: str) -> dict[str, Any]:
    """Return a JSON object.

    Raises:
        UserError: it is none, or has a name twice.
    """

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) < len(pairs):
            names = [name for name, _ in pairs]
            raise UserError(f"{where} has {next(n for n in names if names.count(n) > 1)!r} more than once")
        return made

    try:
        value = json.loads(content, object_pairs_hook=unique)
    except UserError:
        raise
    except (ValueError, RecursionError) as error:
        raise UserError(f"{where} is not valid JSON: {one_line(error)}") from error
    if not isinstance(value, dict):
        raise UserError(f"{where} holds a {_kind(value)}; accepted is an object, {{...}}")
    return value


def flat(values: dict[str, Any], where: str) -> dict[str, Any]:
    """Return the values of nested mappings by their names joined with dots.

    Raises:
        UserError: two values have one name.
    """
    made: dict[str, Any] = {}
    waiting: list[tuple[str, Any]] = [(str(name), value) for name, value in reversed(values.items())]
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, dict) and value and len(name) <= MOST_CHARACTERS:
            waiting += [(f"{name}.{inner}", one) for inner, one in reversed(value.items())]
            continue
        name = compose(name)
        if len(name) > MOST_CHARACTERS or len(made) >= MOST_VALUES:
            raise UserError(
                f"{where} has more than {MOST_VALUES:,} values, or a name of more than {MOST_CHARACTERS} characters"
            )
        if name in made:
            raise UserError(f"{where} has {name!r} more than once, nested and with a dot in its name")
        made[name] = value
    return made


def settings_of(values: dict[str, Any]) -> dict[str, str]:
    """Return flat values as settings."""
    return {name: as_text(value) for name, value in values.items()}


def metrics_of(values: dict[str, Any]) -> dict[str, Points]:
    """Return the numbers among flat values; a list of numbers has one for each step, from 0."""
    made: dict[str, Points] = {}
    for name, value in values.items():
        series: Iterable[Any] = value if isinstance(value, list) else (value,)
        numbers = [as_number(one) for one in series]
        if numbers and None not in numbers:
            steps = range(len(numbers)) if isinstance(value, list) else (None,)
            made[name] = tuple(zip(steps, (n for n in numbers if n is not None), strict=True))
    return made


def _kind(value: object) -> str:
    return {list: "list", str: "text", bool: "truth value", type(None): "null"}.get(type(value), "number")
