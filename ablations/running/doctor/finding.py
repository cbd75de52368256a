"""Finding: one thing that was looked at, and how it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from senet_core.errors import UserError

Level = Literal["ok", "warning", "problem"]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        level: "ok"; "warning": work goes on, but a person should know; "problem": a sweep or a report would fail or be
            wrong.
        what: how it is, in one line.
        how_to_mend: what a person can do; empty where nothing is to be done.
        mended: it was wrong, and is not any more.
    """

    level: Level
    what: str
    how_to_mend: str = ""
    mended: bool = False

    @property
    def is_open(self) -> bool:
        """Whether it is a problem that is still there."""
        return self.level == "problem" and not self.mended


def ok(what: str) -> Finding:
    """Say that something is as it should be."""
    return Finding("ok", what)


def warning(what: str, how_to_mend: str) -> Finding:
    """Say what a person should know."""
    return Finding("warning", what, how_to_mend)


def problem(what: str, how_to_mend: str) -> Finding:
    """Say what would make a sweep or a report fail or be wrong."""
    return Finding("problem", what, how_to_mend)


def mended(finding: Finding, mend: Callable[[], object], *, fix: bool) -> Finding:
    """Mend what was found, where that is asked for.

    Args:
        finding: what was found.
        mend: removes the cause; what it raises (OSError, UserError) leaves the finding open, with the reason.
        fix: whether to mend at all.
    """
    if not fix:
        return finding
    try:
        mend()
    except (OSError, UserError) as error:
        return replace(finding, how_to_mend=f"{finding.how_to_mend} (--fix could not: {error})")
    return replace(finding, mended=True)


def counted(number: int, noun: str) -> str:
    """Write a number of things: "1 run", "2 runs"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
