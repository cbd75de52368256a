"""The arguments of a command: `{name}` stands for a factor's value, and for what the harness fills in."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from ablations.errors import StudyError
from ablations.planning.factors.values import FILE
from senet_core.errors import unknown

FILLED_IN = ("seed", "folder", "device", "resume", "python", "threads")
"""What the harness fills in."""

_PLACE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")


def placeholders(texts: Iterable[str]) -> set[str]:
    """Return the names in braces; `{{` and `}}` are braces themselves.

    Raises:
        StudyError: a brace is left open.
    """
    found = set()
    for text in texts:
        for match in _PLACE.finditer(text):
            if match[0] in "{}":
                raise StudyError(
                    f"experiment.command: a single {match[0]!r} in {text!r}; {match[0] * 2!r} is the brace itself"
                )
            if match[1] is not None:
                found.add(match[1])
    return found


def check_placeholders(used: set[str], factors: Iterable[str]) -> None:
    """Refuse names that nothing fills in, and factors that no placeholder uses: an ablation of nothing.

    Raises:
        StudyError: with the first.
    """
    known = [*factors, *FILLED_IN]
    for name in sorted(used):
        if name not in known:
            raise unknown(
                "placeholder", "{" + name + "}", ["{" + one + "}" for one in known], error=StudyError
            )
    idle = [name for name in factors if name not in used]
    if idle:
        raise StudyError(
            f"factor {idle[0]!r}: no placeholder of the command uses it, so its values would be compared with"
            f" themselves: put {{{idle[0]}}} where the program reads it"
        )
    if "seed" not in used:
        raise StudyError(
            "experiment.command has no {seed}, so every run of a row would be the same one: put {seed} where the"
            " program reads it, or ABLATE_SEED in `env`"
        )


def filled(arguments: Sequence[str], values: Mapping[str, Any], resolve: Callable[[str], str]) -> list[str]:
    """Return the arguments with values in the places of their names.

    An argument that is one placeholder alone becomes as many arguments as its value has: a list several, an empty list
    and null none. Elsewhere a list is joined by commas.

    Args:
        arguments: as the study file has them.
        values: by name: factors, and what the harness fills in.
        resolve: returns the absolute path of a file that is a value.
    """
    return [text for argument in arguments for text in _filled(argument, values, resolve)]


def _filled(argument: str, values: Mapping[str, Any], resolve: Callable[[str], str]) -> Iterator[str]:
    alone = _PLACE.fullmatch(argument)
    if alone is not None and alone[1] is not None:
        value = values[alone[1]]
        if value is None:
            return
        for one in value if isinstance(value, list) else [value]:
            yield argument_text(one, resolve)
        return
    yield _PLACE.sub(lambda match: _place(match, values, resolve), argument)


def _place(match: re.Match[str], values: Mapping[str, Any], resolve: Callable[[str], str]) -> str:
    if match[1] is None:
        return match[0][0]
    value = values[match[1]]
    if isinstance(value, list):
        return ",".join(argument_text(one, resolve) for one in value)
    return argument_text(value, resolve)


def argument_text(value: Any, resolve: Callable[[str], str]) -> str:
    """Return a value as a program reads it: 0.1, true, the path of a file."""
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return ""
    if isinstance(value, dict):
        return resolve(value[FILE]) if FILE in value else json.dumps(value)
    return json.dumps(value) if isinstance(value, list) else str(value)
