"""The table of `ablate plan`: the network behind each row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ablations.analysis.tables.cells import Column
from ablations.analysis.tables.screen import ScreenTable, text_table

if TYPE_CHECKING:
    from ablations.api.planning import StudyPlan

_COLUMNS = (
    Column("row", "row", "left"),
    Column("network", "network", "left", gives_way=1),
    Column("blocks", "blocks\nweigh", "left", gives_way=2),
    Column("units", "units by\nstage", gives_way=4),
    Column("parameters", "parameters", gives_way=6),
    Column("multiply_adds", "multiply-\nadds", gives_way=5),
    Column("function", "function", "left", gives_way=3),
    Column("recorded", "recorded"),
)


def network_table(plan: StudyPlan) -> ScreenTable:
    """Return the table of a plan's rows."""
    rows = [
        (
            row.label,
            f"{row.backbone} {row.variant}",
            row.blocks or "–",
            row.units or "–",
            f"{row.parameters:,}" if row.parameters is not None else "–",
            f"{row.multiply_adds:,}" if row.multiply_adds is not None else "–",
            row.function[:8] if row.function else "–",
            f"{row.finished} of {row.planned}",
        )
        for row in plan.rows
    ]
    return text_table(_COLUMNS, rows)
