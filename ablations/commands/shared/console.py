"""The console that commands print to."""

from __future__ import annotations

import sys
from typing import Any

from rich.console import Console
from rich.text import Text

from senet_core.errors import printable

WIDTH_OF_A_FILE = 160


class _InertConsole(Console):
    """Prints texts so that they act on nothing: a name or a message may hold a terminal's commands."""

    def render_str(self, text: str, **options: Any) -> Text:
        """Return a text as it is shown, in tables and by itself."""
        return super().render_str(printable(text), **options)


def make_console() -> Console:
    """Return a console that prints text as it is; in a pipe or a file it is wide enough that tables do not wrap."""
    width = None if sys.stdout.isatty() else WIDTH_OF_A_FILE
    return _InertConsole(width=width, markup=False, highlight=False)
