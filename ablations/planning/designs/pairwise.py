"""Pairwise: fewer rows than a grid, in which every pair of levels of two axes occurs at least once.

Source: Cohen, Dalal, Fredman and Patton 1997, "The AETG system: an approach to testing based on combinatorial
design". Ours draws nothing: of the rows that it can start from the pairs still missing it takes the one that adds most
pairs, the first among equals.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, product
from typing import TYPE_CHECKING

from ablations.errors import StudyError
from ablations.planning.designs.kind import DesignKind, Levels
from ablations.planning.designs.sizes import MOST_PAIRS, shown_sizes

if TYPE_CHECKING:
    from ablations.planning.study import Study

_Pair = tuple[int, int, int, int]  # axis, its level, later axis, its level
_MOST_STARTS = (
    60  # enough for the sizes of studies; more starts have saved no row in 2 to 6 axes of 2 to 5 levels
)


class PairwiseDesign(DesignKind):
    """Fewer combinations, in which any two values of two axes meet at least once."""

    name = "pairwise"
    description = "fewer combinations, in which any two values of two axes meet at least once"
    varies_alone = False
    crosses = True

    def rows(self, sizes: Sequence[int], baseline: tuple[int, ...] | None) -> Iterator[Levels]:
        """Return covering rows; they begin with the baseline's, as it is trained in any case."""
        return iter(covering_rows(sizes, baseline))

    def check_size(self, study: Study) -> int:
        """Refuse more pairs of values than can be covered in a moment."""
        sizes = [len(values) for values in study.varied.values()]
        pairs = sum(one * other for one, other in combinations(sizes, 2))
        if pairs > MOST_PAIRS:
            raise StudyError(
                f"{shown_sizes(study)} has {pairs:,} pairs of values to cover; at most {MOST_PAIRS:,}: vary less"
            )
        return sum(sizes)


def covering_rows(sizes: Sequence[int], first: Sequence[int] | None = None) -> list[tuple[int, ...]]:
    """Return rows of level numbers that cover every pair of levels of two axes.

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
