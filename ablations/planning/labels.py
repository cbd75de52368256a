"""The labels of rows: short ones, with the fields that differ where two rows would have the same."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ablations.planning.row import Row


def number_text(value: float) -> str:
    """Return a number as text, with as many digits as it needs to be exact: 0.1, 5, 0.1234567."""
    short = f"{value:g}"
    return short if float(short) == value else repr(value)


def distinct_labels(rows: Sequence[Row]) -> dict[Hashable, Row]:
    """Return the rows by what makes them the same question, each with a different label.

    Two plug-ins may use the same name for two things ("SE mine" for a squeeze and for an excitation); the labels of
    such rows have the fields that differ: "SE mine (squeeze=mine, excitation=sigmoid)".
    """
    alike: dict[str, list[Row]] = {}
    for row in rows:
        alike.setdefault(row.label, []).append(row)
    return {row.identity: _told_apart(row, alike[row.label]) for row in rows}


def _told_apart(row: Row, alike: Sequence[Row]) -> Row:
    if len(alike) == 1:
        return row
    others = [other.told for other in alike]
    said = [
        f"{name}={value}"
        for name, value in row.told.items()
        if any(other.get(name) != value for other in others)
    ]
    return replace(row, label=f"{row.label} ({', '.join(said)})")
