"""The labels of rows: short ones, with the fields that differ where two rows would have the same."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from senet_core.variant_text import variant_fields

if TYPE_CHECKING:
    from ablations.planning.row import Cell


def number_text(value: float) -> str:
    """Return a number as text, with as many digits as it needs to be exact: 0.1, 5, 0.1234567."""
    short = f"{value:g}"
    return short if float(short) == value else repr(value)


def distinct_labels(cells: Sequence[Cell]) -> dict[Hashable, Cell]:
    """Return the rows by their network, each with a different label.

    Two plug-ins may use the same name for two things ("SE mine" for a squeeze and for an excitation); the labels of
    such rows have the fields that differ: "SE mine (squeeze=mine, excitation=sigmoid)".
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
