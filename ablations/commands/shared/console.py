"""The console that commands print to."""

from __future__ import annotations

import os
import re
import sys
from typing import Any

from rich.console import Console
from rich.text import Text

from senet_core.errors import printable

NO_EDGE = 100_000
"""Columns of a pipe or a file: no line of ours is as long, so nothing is cut or wrapped."""


class _InertConsole(Console):
    """Prints texts so that they act on nothing: a name or a message may hold a terminal's commands."""

    def render_str(self, text: str, **options: Any) -> Text:
        """Return a text as it is shown, in tables and by itself."""
        return super().render_str(printable(text), **options)


def make_console(*, quiet: bool = False) -> Console:
    """Return a console that prints text as it is, as wide as the terminal; a pipe or a file has no edge.

    COLUMNS, a number above 0, sets the width of both.

    Args:
        quiet: print nothing at all.
    """
    known = {
        name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")
    }  # read below
    return _InertConsole(
        width=_width(), markup=False, emoji=False, highlight=False, quiet=quiet, _environ=known
    )


def _width() -> int | None:
    """Return the width that was asked for, or that of a file; None for the terminal's, which may change."""
    asked = os.environ.get("COLUMNS", "")
    if re.fullmatch(r"[0-9]{1,5}", asked) and int(asked):
        return int(asked)
    return None if sys.stdout.isatty() else NO_EDGE
