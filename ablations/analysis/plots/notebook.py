"""What a notebook shows of results: the first screen of their report, with the table below it."""

from __future__ import annotations

import base64

from markupsafe import Markup

from ablations.analysis.plots.overview import draw_overview
from ablations.analysis.plots.style import render
from ablations.analysis.results.frame_results import FrameResults
from ablations.analysis.results.results import Results
from ablations.analysis.tables.glance.glance import glance_of


def first_screen(results: Results | FrameResults) -> Markup:
    """Return question, answer, the picture of all rows and what it cost, as HTML."""
    glance = glance_of(results)
    parts = [Markup("<p>{}</p>").format(glance.question)]
    if glance.status:
        parts.append(Markup("<p><strong>{}</strong></p>").format(glance.status))
    parts.append(Markup("<p><strong>{}</strong></p>").format(" ".join(glance.answer)))
    if glance.rows.compared:
        picture = render(draw_overview(glance.rows), ("svg",))["svg"]
        address = f"data:image/svg+xml;base64,{base64.b64encode(picture).decode('ascii')}"
        parts.append(
            Markup('<img src="{}" alt="{}" style="width: 34em; max-width: 100%; background: white">').format(
                address, glance.caption
            )
        )
    parts.append(Markup("<p>{}</p>").format(glance.cost))
    return Markup("\n").join(parts)
