"""How wide a text is in a paper's font, and where it breaks; no font is loaded for it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ablations.analysis.tables.latex.escape import is_settable

POINTS = 8.5
"""Of an em at LaTeX's `footnotesize`."""

SMALL = 0.8
"""Of the height of `footnotesize`: what stands behind ± as a subscript."""

_EMS: Mapping[str, float] = {
    character: width
    for characters, width in (
        ("il.,:;'!|", 0.28), ("j()[]frst-`\"", 0.39), (" ", 0.33), ("I", 0.36), ("0123456789/", 0.5),
        ("mwCDGHKNOQRUVXYABT±−×<>=+&~", 0.79), ("MW%@#", 0.95), ("SP", 0.68),
    )
    for character in characters
}  # fmt: skip
"""Of Computer Modern; 0.53 for what is not here."""

_BREAKS = re.compile(r"[^\s=,;_/+]+[=,;_/+]*\s*|[=,;_/+]+\s*|\s+")
INDENT = "\N{EM SPACE}"
"""Begins a line that continues the one above."""


def width(text: str) -> float:
    """Return about how many points a text is wide."""
    return POINTS * sum(_em(character) for character in text)


def number_width(text: str, *, small: bool) -> float:
    """Return about how many points a number is wide, with what stands behind ± as a subscript or not."""
    base, sign, half = text.partition(" ± ")
    if not sign:
        return width(text)
    return width(base) + (SMALL * width(f"±{half}") if small else width(f"±{half}") + 0.34 * POINTS)


def lines(text: str, points: float) -> list[str]:
    """Return a text in lines of at most so many points: at spaces, behind = , ; _ / +, and where there is no other way.

    Lines below the first are indented.
    """
    found: list[str] = []
    line = ""
    for piece in _BREAKS.findall(text):
        if line and width((line + piece).rstrip()) > points:
            found.append(line.rstrip())
            line = INDENT
        while width((line + piece).rstrip()) > points and len(piece) > 1:
            fits = max(1, next((n for n in range(1, len(piece)) if width(line + piece[: n + 1]) > points), 1))
            found.append(line + piece[:fits])
            line, piece = INDENT, piece[fits:]
        line += piece
    return [*found, line.rstrip()]


def head_lines(text: str, points: float) -> list[str]:
    """Return a column's head in one line where it fits, else in two, the first as short as it may be."""
    first, second = _halves(text)
    return [text] if not second or width(text) <= points else [first.rstrip(), second]


def head_width(text: str) -> float:
    """Return the width that a column's head needs in two lines."""
    return max(map(width, _halves(text)))


def _halves(text: str) -> tuple[str, str]:
    """Return the two lines of a head that are the least wide; a unit stays with its word."""
    pieces = re.findall(r"\S+(?: \S{1,2}(?!\S))*\s*", text)
    halves = [("".join(pieces[:n]).rstrip(), "".join(pieces[n:])) for n in range(1, len(pieces))]
    return min(halves, key=lambda half: max(map(width, half)), default=(text, ""))


def longest_word(text: str) -> float:
    """Return the width of the longest piece of a text that need not be broken."""
    return max((width(piece.rstrip()) for piece in _BREAKS.findall(text)), default=0.0)


def _em(character: str) -> float:
    if character == INDENT:
        return 1.0
    if character.isascii() or is_settable(character):
        return _EMS.get(character, 0.53)
    return 4.0  # its code point
