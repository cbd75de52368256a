"""Fewer rows than a grid: every pair of levels of two axes occurs in at least one row.

Source: Cohen, Dalal, Fredman and Patton 1997, "The AETG system: an approach to testing based on combinatorial
design". Ours draws nothing: of the rows that it can start from the pairs still missing it takes the one that adds most
pairs, the first among equals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations, product

_Pair = tuple[int, int, int, int]  # axis, its level, later axis, its level
_MOST_STARTS = (
    60  # enough for the sizes of studies; more starts have saved no row in 2 to 6 axes of 2 to 5 levels
)


def covering_rows(sizes: Sequence[int], first: Sequence[int] | None = None) -> list[tuple[int, ...]]:
    """Give rows of level numbers that cover every pair of levels of two axes.

    Args:
        sizes: levels of each axis, at least one each.
        first: a row to begin with, such as the baseline's.
    """
    if len(sizes) < 2:
        return [(level,) for size in sizes for level in range(size)]
    missing = {
        (a, x, b, y)
        for a, b in combinations(range(len(sizes)), 2)
        for x, y in product(range(sizes[a]), range(sizes[b]))
    }
    rows: list[tuple[int, ...]] = [tuple(first)] if first is not None else []
    used = [[0] * size for size in sizes]
    for row in rows:
        _count(row, missing, used)
    while missing:
        starts = sorted(missing)[:_MOST_STARTS]
        rows.append(
            max((_grown(start, sizes, missing, used) for start in starts), key=lambda r: _new(r, missing))
        )
        _count(rows[-1], missing, used)
    return rows


def _grown(start: _Pair, sizes: Sequence[int], missing: set[_Pair], used: list[list[int]]) -> tuple[int, ...]:
    """Fill a row from a pair, axis by axis, with the level that adds most pairs, the least used among equals."""
    a, x, b, y = start
    chosen = {a: x, b: y}
    for axis in range(len(sizes)):
        if axis not in chosen:
            gains = [
                (_gain(axis, level, chosen, missing), -used[axis][level]) for level in range(sizes[axis])
            ]
            chosen[axis] = gains.index(max(gains))
    return tuple(chosen[axis] for axis in range(len(sizes)))


def _gain(axis: int, level: int, chosen: Mapping[int, int], missing: set[_Pair]) -> int:
    return sum(_pair(axis, level, other, theirs) in missing for other, theirs in chosen.items())


def _pair(a: int, x: int, b: int, y: int) -> _Pair:
    return (a, x, b, y) if a < b else (b, y, a, x)


def _pairs(row: Sequence[int]) -> set[_Pair]:
    return {(a, row[a], b, row[b]) for a, b in combinations(range(len(row)), 2)}


def _new(row: Sequence[int], missing: set[_Pair]) -> int:
    return len(_pairs(row) & missing)


def _count(row: Sequence[int], missing: set[_Pair], used: list[list[int]]) -> None:
    missing -= _pairs(row)
    for axis, level in enumerate(row):
        used[axis][level] += 1
