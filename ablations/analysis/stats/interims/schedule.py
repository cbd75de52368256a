"""Interim analyses of paired comparisons: when there are any, and what they say together.

Source: ablations/analysis/stats/interims/sequential.py, which has the boundaries and where they come from.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import special

from ablations.analysis.stats.interims.sequential import SPENDING_POWER, ErrorSpending, boundary, interim_p
from senet_core.errors import UserError

_Floats = NDArray[np.float64]


@dataclass(frozen=True)
class InterimSchedule:
    """After how many seeds results are analysed, and how the error is spread over these interim analyses.

    By the analysis at S seeds the share (S / most) ** SPENDING_POWER of the error is spent.

    Attributes:
        at: numbers of seeds, rising, from 2; the last is at most `most`.
        most: seeds at which all of the error is spent.
        order: in which seeds were added; rising if empty.

    Raises:
        UserError: `at` does not rise from 2 to at most `most`.
    """

    at: tuple[int, ...]
    most: int
    order: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not self.at or list(self.at) != sorted(set(self.at)) or self.at[0] < 2 or self.at[-1] > self.most:
            raise UserError(f"looks must rise from 2 to at most {self.most} seeds, got {self.at}")

    def share(self, seeds: int) -> float:
        """Return the share of the error that is spent by so many seeds."""
        return float((seeds / self.most) ** SPENDING_POWER)


@dataclass(frozen=True)
class InterimResult:
    """What all interim analyses of a comparison say together; None where none of them could say anything.

    Attributes:
        p: of no difference, two-sided: the smallest of all analyses, valid whenever one stops.
        p_tost: of equivalence within the margin, likewise; None without a margin.
        mean: the mean difference at the analysis with the smallest p.
        pairs: complete pairs at the last analysis.
        lo: lower end of the repeated interval at the last analysis: the intervals of all analyses hold together.
        hi: upper end.
        level: at which an interval of one analysis with as many pairs is as wide as that one; None as for `lo`.
        analyses: how many there were.
    """

    p: float | None = None
    p_tost: float | None = None
    mean: float | None = None
    pairs: int = 0
    lo: float | None = None
    hi: float | None = None
    level: float | None = None
    analyses: int = 0


def analyse_interims(
    differences: _Floats,
    schedule: InterimSchedule,
    *,
    margin: float | None,
    confidence: float = 0.95,
    ended: int | None = None,
) -> InterimResult:
    """Test paired differences at every interim analysis that their seeds have reached.

    Args:
        differences: (seeds,), in the order in which seeds were added; NaN where a pair is incomplete.
        schedule: of the analyses; what is missing of a comparison delays its pairs, not its analyses.
        margin: smallest effect of interest, in the units of the differences; None for none.
        confidence: of the interval.
        ended: how many of the seeds, from the first, have been trained, with a result or without; those up to the last
            complete pair if not given.
    """
    complete = np.isfinite(differences)
    last = int(np.flatnonzero(complete)[-1]) + 1 if complete.any() else 0
    spending, reached = _by_pairs(complete, last if ended is None else max(last, ended), schedule)
    if spending is None:
        return InterimResult()
    least, least_tost, mean = 1.0, 1.0, None
    interval: tuple[float | None, float | None, float | None] = (None, None, None)
    values = differences[complete]
    for n in spending.at[:reached]:
        found = values[:n]
        middle, error = float(found.mean()), float(found.std(ddof=1)) / math.sqrt(n)
        if error <= 1e-12 * float(np.abs(found).max()):
            continue  # without any spread there is no t
        p = float(interim_p(np.array(middle / error), n, spending, two_sided=True))
        if mean is None or p < least:
            least, mean = p, middle
        if margin is not None:
            t = np.array((margin - abs(middle)) / error)
            least_tost = min(least_tost, float(interim_p(t, n, spending, two_sided=False)))
        edge = boundary(1 - confidence, n, spending, two_sided=True)
        interval = (middle - edge * error, middle + edge * error, 2 * float(special.stdtr(n - 1, -edge)))
    pairs, p_tost = spending.at[reached - 1], None if margin is None else least_tost
    return InterimResult(least, p_tost, mean, pairs, *interval, reached)


def _by_pairs(
    complete: NDArray[np.bool_], reached: int, schedule: InterimSchedule
) -> tuple[ErrorSpending | None, int]:
    """Turn a schedule by seeds into one by pairs; also, how many of its analyses the data has reached.

    Analyses that are still to come are taken to lack as many pairs as there are missing now.
    """
    missing = reached - int(complete.sum())
    at: list[int] = []
    spent: list[float] = []
    done = 0
    for seeds in schedule.at:
        pairs = int(complete[:seeds].sum()) if seeds <= reached else seeds - missing
        if pairs < 2 or (at and pairs <= at[-1]):
            continue
        at.append(pairs)
        spent.append(schedule.share(seeds))
        done += seeds <= reached
    return (ErrorSpending(tuple(at), tuple(spent)) if done else None), done


def wrong_over_plans(ends: Sequence[tuple[int, int]]) -> float:
    """Return a bound on the chance of a wrong verdict over plans that were extended later, in levels of one plan.

    Args:
        ends: for each plan in order, the seeds at its last analysis and the seeds at which it spends all of its error.
    """
    return float(1 + sum(1 - (before / most) ** SPENDING_POWER for (before, _), (_, most) in pairwise(ends)))
