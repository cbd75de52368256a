"""Errors of bad input: one line with what was given and what would be accepted."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from difflib import get_close_matches

LONGEST = 2000
"""Limit of an error's text, in characters; the rest is left out."""


class UserError(ValueError):
    """Bad input, reported to a person in one line; the command line prints it and exits with status 2."""


def printable(text: str) -> str:
    r"""Return a foreign text as characters that act on nothing.

    Escaped are lone surrogates (a file name that is no UTF-8), control characters, and marks that turn the direction
    of writing: "\x1b", "\udcff". Line feeds and tabs stay.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        mark if mark in "\n\t" or unicodedata.category(mark)[0] != "C" else ascii(mark)[1:-1] for mark in text
    )


def one_line(error: BaseException) -> str:
    """Return an error's text in one printable line, or its type where it has none.

    Foreign code may raise it: its text may be very long, or may itself raise, whatever that is.
    """
    try:
        text = str(error)
    except BaseException:
        text = ""
    shown = " ".join(printable(text[: 2 * LONGEST]).split())
    return (shown if len(shown) <= LONGEST else f"{shown[:LONGEST]} ...") or _type_name(error)


def typed_line(error: BaseException) -> str:
    """Return an error's type and text in one printable line."""
    text, name = one_line(error), _type_name(error)
    return text if text == name else f"{name}: {text}"


def _type_name(error: BaseException) -> str:
    return " ".join(printable(type(error).__name__[:100]).split())


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that was probably meant, whatever its letters' case; None where none is near."""
    by_letters: dict[str, str] = {}
    for entry in known:
        by_letters.setdefault(entry.casefold(), entry)
    near = get_close_matches(name.casefold(), by_letters, n=1)
    return by_letters[near[0]] if near else None


def unknown(
    kind: str,
    name: object,
    known: Iterable[object],
    *,
    near: str | None = None,
    error: type[UserError] = UserError,
) -> UserError:
    """Return the error of an unknown name, with the nearest known one.

    Args:
        kind: what was named, as a person would call it ("squeeze", "study").
        name: what was given.
        known: every name that would be accepted.
        near: what was probably meant; the most alike of the known names if not given.
        error: its class.
    """
    names = [str(entry) for entry in known]
    near = near or nearest(str(name), names)
    hint = f" did you mean {near!r}?" if near else ""
    return error(f"unknown {kind} {name!r};{hint} known: {', '.join(names) or 'none'}")
