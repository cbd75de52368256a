"""The console that commands print to."""

from __future__ import annotations

import sys

from rich.console import Console

WIDTH_OF_A_FILE = 160


def make_console() -> Console:
    """Return a console that prints text as it is; in a pipe or a file it is wide enough that tables do not wrap."""
    width = None if sys.stdout.isatty() else WIDTH_OF_A_FILE
    return Console(width=width, markup=False, highlight=False)
