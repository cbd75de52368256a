"""The first screen of a report on the terminal: answer, every row in one picture, and what it cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from ablations.analysis.tables.glance.glance import Glance


def print_glance(console: Console, glance: Glance) -> None:
    """Print what a reader sees first of a report."""
    from rich.text import Text

    from ablations.analysis.tables.glance.strip import legend_line, strip_table
    from ablations.analysis.tables.screen import ScreenTable

    console.print()
    if glance.status:
        console.print(Text(glance.status, "yellow"))
    console.print(Text(" ".join(glance.answer)))
    if glance.rows.compared:
        console.print(ScreenTable(strip_table(glance.rows)))
        console.print(Text(legend_line(glance.rows)))
    if glance.rows.unmeasured:
        console.print(Text(f"Not measured yet: {', '.join(glance.rows.unmeasured)}"))
    console.print(Text(glance.cost))
