"""Errors of bad input: one line with what was given and what would be accepted."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class UserError(ValueError):
    """Bad input, reported to a person in one line; the command line prints it and exits with status 2."""


def one_line(error: BaseException) -> str:
    """Return an error's text in one line, or its type where it has none."""
    return " ".join(str(error).split()) or type(error).__name__


def unknown(
    kind: str, name: object, known: Iterable[object], *, error: type[UserError] = UserError
) -> UserError:
    """Return the error of an unknown name, with the nearest known one.

    Args:
        kind: what was named, as a person would call it ("squeeze", "study").
        name: what was given.
        known: every name that would be accepted.
        error: its class.
    """
    names = [str(entry) for entry in known]
    near = get_close_matches(str(name), names, n=1)
    hint = f" did you mean {near[0]!r}?" if near else ""
    return error(f"unknown {kind} {name!r};{hint} known: {', '.join(names) or 'none'}")
