"""The table of `ablate plan`: the network behind each row."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table

    from ablations.api.planning import StudyPlan


def network_table(plan: StudyPlan, *, wide: bool) -> Table:
    """Draw the table for a screen; `wide` writes out the network behind each row."""
    from rich.table import Table

    study = plan.design.study
    table = Table(title=f"{study.title}\n{study.question}", title_justify="left")
    table.add_column("row", overflow="fold")
    if wide:
        table.add_column("network", overflow="fold")
        table.add_column("blocks\nweigh")
    for column in ("units by\nstage", "parameters", "multiply-\nadds", "function", "recorded"):
        table.add_column(column, justify="left" if column == "function" else "right")
    for row in plan.rows:
        table.add_row(
            row.label,
            *([f"{row.backbone} {row.variant}", row.blocks or "–"] if wide else []),
            row.units or "–",
            f"{row.parameters:,}" if row.parameters is not None else "–",
            f"{row.multiply_adds:,}" if row.multiply_adds is not None else "–",
            row.function[:8] if row.function else "–",
            f"{row.finished} of {row.planned}",
        )
    return table
