"""Paired comparisons that are looked at more than once: when, and what the looks say together.

Source: ablations/analysis/stats/sequential.py, which has the boundaries and where they come from.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ablations.analysis.stats.sequential import SPENDING_POWER, Looks, boundary, look_p
from senet_core.errors import UserError

_Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Schedule:
    """After how many seeds one looks, and how the error is spread over the looks.

    By the look at S seeds the share (S / most) ** power of the error is spent.

    Attributes:
        at: numbers of seeds, rising, from 2; the last is at most `most`.
        most: seeds at which all of the error is spent.
        power: above 0; the larger, the more is kept for the end.
        order: in which seeds were added; rising if empty.
    """

    at: tuple[int, ...]
    most: int
    power: float = SPENDING_POWER
    order: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not self.at or list(self.at) != sorted(set(self.at)) or self.at[0] < 2 or self.at[-1] > self.most:
            raise UserError(f"looks must rise from 2 to at most {self.most} seeds, got {self.at}")

    def share(self, seeds: int) -> float:
        """Give the share of the error that is spent by so many seeds."""
        return float((seeds / self.most) ** self.power)


@dataclass(frozen=True)
class Looked:
    """What all looks at a comparison say together; None where none of them could say anything.

    Attributes:
        p: of no difference, two-sided: the smallest of all looks, valid whenever one stops.
        p_tost: of equivalence within the margin, likewise; None without a margin.
        mean: the mean difference at the look with the smallest p.
        pairs: complete pairs at the last look.
        lo: lower end of the repeated interval at the last look: all looks' intervals hold together.
        hi: upper end.
        looks: how many looks there were.
    """

    p: float | None
    p_tost: float | None
    mean: float | None
    pairs: int
    lo: float | None
    hi: float | None
    looks: int


def take_looks(
    differences: _Floats,
    schedule: Schedule,
    *,
    margin: float | None,
    confidence: float = 0.95,
    ended: int | None = None,
) -> Looked:
    """Test paired differences at every look that their seeds have reached.

    Args:
        differences: (seeds,), in the order in which seeds were added; NaN where a pair is incomplete.
        schedule: when one looks; what is missing of a comparison delays its pairs, not its looks.
        margin: smallest effect of interest, in the units of the differences; None for none.
        confidence: of the interval.
        ended: how many of the seeds, from the first, have been trained, with a result or without; those up to the last
            complete pair if not given.
    """
    complete = np.isfinite(differences)
    last = int(np.flatnonzero(complete)[-1]) + 1 if complete.any() else 0
    reached = last if ended is None else max(last, ended)
    places = _places(complete, reached, schedule)
    if places is None:
        return Looked(None, None, None, 0, None, None, 0)
    looks, seen = places
    least, least_tost, mean = 1.0, 1.0, None
    interval: tuple[float | None, float | None] = (None, None)
    values = differences[complete]
    for n in looks.at[:seen]:
        found = values[:n]
        middle, error = float(found.mean()), float(found.std(ddof=1)) / math.sqrt(n)
        if error <= 1e-12 * float(np.abs(found).max()):
            continue  # without any spread there is no t
        p = float(look_p(np.array(middle / error), n, looks, two_sided=True))
        if mean is None or p < least:
            least, mean = p, middle
        if margin is not None:
            t = np.array((margin - abs(middle)) / error)
            least_tost = min(least_tost, float(look_p(t, n, looks, two_sided=False)))
        half = boundary(1 - confidence, n, looks, two_sided=True) * error
        interval = (middle - half, middle + half)
    return Looked(least, None if margin is None else least_tost, mean, looks.at[seen - 1], *interval, seen)


def _places(complete: NDArray[np.bool_], reached: int, schedule: Schedule) -> tuple[Looks, int] | None:
    """Turn looks by seeds into looks by pairs; also, how many of them the data has reached.

    Looks that are still to come are taken to lack as many pairs as there are missing now.
    """
    missing = reached - int(complete.sum())
    at: list[int] = []
    spent: list[float] = []
    seen = 0
    for seeds in schedule.at:
        pairs = int(complete[:seeds].sum()) if seeds <= reached else seeds - missing
        if pairs < 2 or (at and pairs <= at[-1]):
            continue
        at.append(pairs)
        spent.append(schedule.share(seeds))
        seen += seeds <= reached
    return (Looks(tuple(at), tuple(spent)), seen) if seen else None


def wrong_over_plans(ends: Sequence[tuple[int, int]], power: float = SPENDING_POWER) -> float:
    """Bound the chance of a wrong verdict over plans that were extended after a look, in levels of one plan.

    Args:
        ends: for each plan in order, the seeds at its last look and the seeds at which it spends all of its error.
        power: of the spending.
    """
    return float(1 + sum(1 - (before / most) ** power for (before, _), (_, most) in pairwise(ends)))
