"""The first screen of a report as Markdown for MLflow's pages, its picture in characters."""

from __future__ import annotations

import io

from ablations.analysis.tables.escape import markdown_escape
from ablations.analysis.tables.glance.glance import Glance
from ablations.analysis.tables.glance.strip import legend_line, strip_table
from ablations.analysis.tables.screen import ScreenTable

_MOST_CHARACTERS = 5000
"""That an experiment's tag may have in MLflow's stores."""
_WHERE = (
    "The picture of all rows is `figures/overview.png` among the files of the run `report`; the whole report is its "
    "`report.html`."
)


def glance_note(glance: Glance) -> str:
    """Return question, answer, cost and a picture in characters where there is room for it, in Markdown."""
    head = [
        f"**{markdown_escape(glance.question)}**",
        *([f"> **{markdown_escape(glance.status)}**"] if glance.status else []),
        markdown_escape(" ".join(glance.answer)),
    ]
    foot = [markdown_escape(glance.cost), _WHERE]
    picture = [_picture(glance)] if glance.rows.compared else []
    whole = "\n\n".join((*head, *picture, *foot))
    return whole if len(whole) <= _MOST_CHARACTERS else "\n\n".join((*head, *foot))[:_MOST_CHARACTERS]


def _picture(glance: Glance) -> str:
    from rich.console import Console

    page = io.StringIO()
    console = Console(width=96, file=page, color_system=None)
    console.print(ScreenTable(strip_table(glance.rows)))
    console.print(legend_line(glance.rows))
    text = "\n".join(line.rstrip() for line in page.getvalue().replace("`", "'").strip("\n").split("\n"))
    return f"```\n{text}\n```"
