"""Which of a factor's planned values a recorded setting means: it is text, and counts as the value that it says."""

from __future__ import annotations

import ast
import json
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ablations.analysis.external.asked import compose
from ablations.planning.factors.values import FILE

_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("true", "yes", "on", "1"), True),
    **dict.fromkeys(("false", "no", "off", "0"), False),
    **dict.fromkeys(("none", "null", ""), None),
}
_LONGEST = 4096  # characters of a list that is read as Python or JSON


def meant(text: str, planned: Sequence[Any], parse: Callable[[Any], Any]) -> int | None:
    """Return the place of the planned value that a recorded text means; None where it means none of them.

    Args:
        text: as the source has it: "0.10", "True", "[64, 128]", "64,128", the path of a file.
        planned: canonical values of the factor, without doubles.
        parse: returns the canonical form of a value; raises ValueError where the factor does not take it.
    """
    readings = [*_readings(text)]
    if text and any(isinstance(known, dict) and FILE in known for known in planned):  # else no file is opened
        readings.append({FILE: text})
    for read in readings:
        try:
            value = parse(read)
        except ValueError:
            continue
        for place, known in enumerate(planned):
            if same(value, known):
                return place
    return None


def same(one: Any, other: Any) -> bool:
    """Return whether two canonical values are one: 1 and 1.0 are, 1 and true are not; files are by their content."""
    if isinstance(one, bool) != isinstance(other, bool):
        return False
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, str) and isinstance(other, str):
        return compose(one.strip()) == compose(other.strip())
    if isinstance(one, dict) and isinstance(other, dict) and FILE in one and FILE in other:
        return bool(one["sha256"] == other["sha256"])
    return bool(one == other)


def _readings(text: str) -> Iterator[Any]:
    """Yield what a text may say, as it stands first."""
    yield text
    number = _number(text)
    if number is not None:
        yield number
    if text.lower() in _WORDS:
        yield _WORDS[text.lower()]
    if text[:1] in ("[", "(", "{") and len(text) <= _LONGEST:
        for read in (json.loads, ast.literal_eval):
            try:
                found = read(text)
            except (ValueError, SyntaxError, RecursionError, MemoryError):
                continue
            yield list(found) if isinstance(found, tuple) else found
    if "," in text:
        pieces = [piece.strip() for piece in text.split(",")]
        yield [piece if (value := _number(piece)) is None else value for piece in pieces]


def _number(text: str) -> int | float | None:
    for read in (int, float):
        try:
            found = read(text)
        except ValueError:
            continue
        return found if math.isfinite(found) else None
    return None
