"""The table of `ablate plan`: what is behind each row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ablations.analysis.tables.cells import Column
from ablations.analysis.tables.screen import ScreenTable, text_table
from ablations.api.planned_runs import PlannedRow, PlannedRun

if TYPE_CHECKING:
    from ablations.api.planning import StudyPlan
    from ablations.planning.experiment import Fact

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
        if isinstance(row, PlannedRow)
    ]
    return text_table(_COLUMNS, rows)


def row_table(plan: StudyPlan) -> ScreenTable:
    """Return the table of a plan's rows: of their networks, or of the factors of another experiment."""
    runs = [row for row in plan.rows if isinstance(row, PlannedRun)]
    if not runs:
        return network_table(plan)
    axes = [name for name in plan.design.study.axes if name in runs[0].values]
    facts = list(dict.fromkeys(name for row in runs for name in row.facts))
    columns = (
        Column("row", "row", "left"),
        *(Column(f"axis_{name}", name, "left", gives_way=2) for name in axes),
        *(Column(name, name.replace("_", " "), gives_way=3) for name in facts),
        Column("recorded", "recorded"),
    )
    return text_table(
        columns,
        [
            (
                row.label,
                *(row.values[name] for name in axes),
                *(_fact(row.facts.get(name)) for name in facts),
                f"{row.finished} of {row.planned}",
            )
            for row in runs
        ],
    )


def _fact(value: Fact | None) -> str:
    if value is None:
        return "–"
    if isinstance(value, int):
        return f"{value:,}"
    return value if isinstance(value, str) else f"{value:,g}"
