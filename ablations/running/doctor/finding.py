"""Finding: one thing that was checked, and its state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from senet_core.errors import UserError

Level = Literal["ok", "warning", "problem"]


@dataclass(frozen=True)
class Finding:
    """One thing that was checked.

    Attributes:
        level: "ok"; "warning": a person should know of it; "problem": a sweep or a report would fail or be wrong.
        what: its state, in one line.
        how_to_mend: what a person can do; empty where nothing is to be done.
        mended: whether it was repaired.
    """

    level: Level
    what: str
    how_to_mend: str = ""
    mended: bool = False

    @property
    def is_open(self) -> bool:
        """Whether it is a problem that was not repaired."""
        return self.level == "problem" and not self.mended


def ok(what: str) -> Finding:
    """Return a finding that something is as it should be."""
    return Finding("ok", what)


def warning(what: str, how_to_mend: str) -> Finding:
    """Return a finding that a person should know of."""
    return Finding("warning", what, how_to_mend)


def problem(what: str, how_to_mend: str) -> Finding:
    """Return a finding that would make a sweep or a report fail or be wrong."""
    return Finding("problem", what, how_to_mend)


def mended(finding: Finding, mend: Callable[[], object], *, fix: bool) -> Finding:
    """Return the finding, after repairing it if `fix` is true.

    Args:
        finding: what was found.
        mend: repairs it; its OSError or UserError leaves the finding open, with the reason.
        fix: whether to repair it.
    """
    if not fix:
        return finding
    try:
        mend()
    except (OSError, UserError) as error:
        return replace(finding, how_to_mend=f"{finding.how_to_mend} (`fix=True` could not: {error})")
    return replace(finding, mended=True)
