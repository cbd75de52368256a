"""What rows are called: short where that is enough, with the fields that differ where it is not."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from senet_core.variant_text import variant_fields

if TYPE_CHECKING:
    from ablations.planning.row import Cell


def number_text(value: float) -> str:
    """Write a number in as many digits as tell it from every other: 0.1, 5, 0.1234567."""
    short = f"{value:g}"
    return short if float(short) == value else repr(value)


def distinct_labels(cells: Sequence[Cell]) -> dict[Hashable, Cell]:
    """Return the cells by their network, each with a label of its own.

    Two plug-ins may give one name to two things ("SE mine" for a squeeze and for an excitation); such rows
    say their fields: "SE mine (squeeze=mine, excitation=sigmoid)".
    """
    alike: dict[str, list[Cell]] = {}
    for cell in cells:
        alike.setdefault(cell.label, []).append(cell)
    return {cell.network: _told_apart(cell, alike[cell.label]) for cell in cells}


def _told_apart(cell: Cell, alike: Sequence[Cell]) -> Cell:
    if len(alike) == 1:
        return cell
    rows = [_fields(other) for other in alike]
    said = [
        f"{name}={value}"
        for name, value in _fields(cell).items()
        if any(row.get(name) != value for row in rows)
    ]
    return replace(cell, label=f"{cell.label} ({', '.join(said)})")


def _fields(cell: Cell) -> Mapping[str, str]:
    recipe = {name: str(value) for name, value in cell.recipe.model_dump().items()}
    return {"backbone": cell.backbone, **variant_fields(cell.variant), **recipe}
