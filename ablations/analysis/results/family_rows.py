"""Which rows of a study stand together in a table, and are corrected together."""

from __future__ import annotations

from collections.abc import Iterable

from ablations.planning.design import Design
from ablations.planning.row import Cell


def family_rows(design: Design) -> tuple[tuple[str | None, tuple[Cell, ...]], ...]:
    """Give each family's axis and its rows: the plain network first where the study has one, and the baseline.

    The axis is None where one table shows every row.
    """
    if not design.varies_alone or not design.study.axes:
        return ((None, _rows(design, design.cells)),)
    return tuple((axis, _rows(design, design.on_axis(axis))) for axis in design.study.axes)


def _rows(design: Design, cells: Iterable[Cell]) -> tuple[Cell, ...]:
    baseline, plain = design.baseline, design.plain
    rest = [cell for cell in cells if plain is None or cell.label != plain.label]
    rows = [*([plain] if plain is not None else []), *rest]
    return tuple(rows if baseline.label in (cell.label for cell in rows) else [*rows, baseline])
