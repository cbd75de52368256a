"""How large a study may be, and its batches: slips of the finger (seeds: 10000) are said before time is spent."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations
from math import prod
from typing import TYPE_CHECKING

from senet_core.errors import UserError

if TYPE_CHECKING:
    from ablations.planning.row import Cell
    from ablations.planning.study import Study

MOST_ROWS = 5_000
MOST_TRIALS = 100_000
MOST_PAIRS = 5_000
"""Unfolding a study at these limits takes some seconds."""


def check_size(study: Study) -> None:
    """Refuse a study that nobody can mean, before time is spent on it.

    Raises:
        UserError: with the numbers.
    """
    sizes = [len(values) for values in study.axes.values()]
    shown = f"study {study.name!r}: design {study.design!r} of axes with {', '.join(map(str, sizes))} values"
    if study.design == "pairwise":
        pairs = sum(one * other for one, other in combinations(sizes, 2))
        if pairs > MOST_PAIRS:
            raise UserError(
                f"{shown} has {pairs:,} pairs of values to cover; at most {MOST_PAIRS:,}: vary less"
            )
    rows = prod(sizes) if study.design == "grid" else sum(sizes)
    if study.design != "pairwise" and rows > MOST_ROWS:
        other = "vary less, or one factor at a time" if study.design == "grid" else "vary less"
        raise UserError(f"{shown} has {_number(rows)} rows; at most {MOST_ROWS:,}: {other}")
    if rows * len(study.seeds) > MOST_TRIALS:
        raise UserError(
            f"study {study.name!r}: {rows:,} rows with {len(study.seeds):,} seeds are {rows * len(study.seeds):,}"
            f" trials; at most {MOST_TRIALS:,}: take fewer seeds, or vary less"
        )


def check_batches(study: Study, cells: Iterable[Cell], train_images: int) -> None:
    """Refuse batches that the training images cannot fill: a smaller batch would be another recipe.

    Args:
        study: whose cells.
        cells: its rows.
        train_images: how many there are.

    Raises:
        UserError: with the first row that asks for more.
    """
    for cell in cells:
        asked = cell.recipe.batch_size
        if asked > train_images:
            raise UserError(
                f"study {study.name!r}, row {cell.label!r}: batch_size is {asked:,}, and there are {train_images:,}"
                f" training images; give recipe.batch_size at most {train_images:,}, or more train_images"
            )


def _number(count: int) -> str:
    return f"{count:,}" if count < 10**15 else f"more than {10**15:,}"
