"""The table of `ablate plan`: the network behind each row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Table

    from ablations.planning.design import Design
    from ablations.running.training.networks import Networks
    from senet_core.fingerprint import Structure
    from senet_core.variant import SEVariant


def network_table(design: Design, networks: Networks, finished: frozenset[str], *, wide: bool) -> Table:
    """Draw the table for a screen; `wide` writes out the network behind each row."""
    from rich.table import Table

    table = Table(title=f"{design.study.title}\n{design.study.question}", title_justify="left")
    table.add_column("row", overflow="fold")
    if wide:
        table.add_column("network", overflow="fold")
        table.add_column("blocks\nweigh")
    for column in ("units by\nstage", "parameters", "multiply-\nadds", "function", "recorded"):
        table.add_column(column, justify="left" if column == "function" else "right")
    for row in network_rows(design, networks, finished):
        table.add_row(
            row["label"],
            *([f"{row['backbone']} {row['variant']}", row["blocks"] or "–"] if wide else []),
            row["units"] or "–",
            f"{row['parameters']:,}" if row["parameters"] is not None else "–",
            f"{row['multiply_adds']:,}" if row["multiply_adds"] is not None else "–",
            row["function"][:8] if row["function"] else "–",
            f"{row['finished']} of {row['planned']}",
        )
    return table


def network_rows(design: Design, networks: Networks, finished: frozenset[str]) -> list[dict[str, Any]]:
    """Say for each row what its network is, and how many of its trials are finished."""
    from senet_core.floor import width_text

    rows = []
    for cell in design.cells:
        made_of, mark = networks.structure(cell), networks.fingerprint(cell)
        keys = [cell.trial(seed).key for seed in design.seeds]
        rows.append(
            {
                "label": cell.label,
                "backbone": cell.backbone,
                "variant": _short(cell.variant),
                "blocks": _places(made_of),
                "units": (width_text(dict(made_of.widths)) if made_of else None) or None,
                "parameters": made_of.parameters if made_of else None,
                "multiply_adds": made_of.multiply_adds if made_of else None,
                "function": mark.function if mark else None,
                "finished": sum(key in finished for key in keys),
                "planned": len(keys),
            }
        )
    return rows


def _short(variant: SEVariant | None) -> str:
    """Write a variant with the fields only that differ from the paper's; it reads back to an equal value."""
    from senet_core.variant import PAPER_SE
    from senet_core.variant_text import variant_fields

    if variant is None:
        return "plain"
    usual = variant_fields(PAPER_SE)
    changed = [f"{name}={value}" for name, value in variant_fields(variant).items() if value != usual[name]]
    return f"se:{','.join(changed)}" if changed else "se"


def _places(made_of: Structure | None) -> str | None:
    """Count the blocks by what they weigh: "9 out"."""
    points = [point for _, point in made_of.gates] if made_of else []
    return ", ".join(f"{points.count(point)} {point}" for point in dict.fromkeys(points)) or None
