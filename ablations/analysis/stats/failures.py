"""Failed runs in a paired comparison: whether a verdict stands with each failure as the worst result of all.

A seed whose run failed has no value, and a comparison of the seeds that are left flatters a variant whose worst runs
are those that fail: where the variant alone loses its worst 10, 20 or 30 %, "better" by the paired t-test is wrong in
5.1, 8.8 and 13.6 % of studies of equal variants with 10 seeds instead of 2.5 %; where it must hold by worst ranks, too,
in 2.1, 1.2 and 0.6 % (5,000 studies each). Ranks need no value: a seed in which only the variant failed is a difference
worse than every measured one, a seed in which only the baseline failed one that is better than every measured one, and
a seed in which both failed is a tie.

Source: Wilcoxon 1945, "Individual comparisons by ranking methods"; Pratt 1959, "Remarks on zeros and ties in the
Wilcoxon signed rank procedures": a difference of zero takes part in the ranking and counts for neither side, for
without its rank a result that becomes better can make the test less sure; Lachin 1999, "Worst-rank score analysis with
informatively missing observations in clinical trials".
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats

from senet_core.errors import UserError

EXACT_RANKS = 300
"""Up to so many seeds the p is exact; beyond, the sum of ranks is taken to be normal."""

_Ranks = NDArray[np.int64]


@dataclass(frozen=True)
class WorstRanks:
    """The signed-rank test of a comparison in which failures are the worst results.

    Attributes:
        p: two-sided, exact up to EXACT_RANKS seeds; 1 where no seed tells the two apart.
        favours: whose results rank better; None where neither's do.
        lost: seeds in which only the variant failed.
        won: seeds in which only the baseline failed.
    """

    p: float
    favours: Literal["variant", "baseline"] | None
    lost: int
    won: int

    def upholds(self, better: bool, level: float) -> bool:
        """Return whether a verdict that was reached without the failed seeds stands.

        It stands if the side that it praises did not fail more often than the other, or if that side wins with
        failures as worst results, too.

        Args:
            better: True for "better", False for "worse".
            level: of the two-sided test, the level at which the verdict was reached.
        """
        more = self.lost - self.won if better else self.won - self.lost
        return more <= 0 or (self.favours == ("variant" if better else "baseline") and self.p <= level)


def worst_rank_p(
    differences: ArrayLike, lost: int, won: int, *, both: int = 0, lower_is_better: bool = True
) -> WorstRanks:
    """Test a paired comparison by signed ranks, each failure worse than every measured result.

    The p is the share of all choices of signs whose sum of ranks is at least as far from zero as the one observed.
    Equal sizes share the mean of their ranks. Zeros are ranked and then left out (Pratt).

    Args:
        differences: (pairs,) variant minus baseline of the seeds that both finished; finite.
        lost: seeds in which only the variant failed, from 0.
        won: seeds in which only the baseline failed, from 0.
        both: seeds in which both failed, from 0; they count as differences of zero.
        lower_is_better: True for errors and losses.

    Raises:
        UserError: a difference is not finite or a count is below 0.
    """
    measured = np.asarray(differences, dtype=np.float64)
    if measured.ndim != 1 or not np.isfinite(measured).all():
        raise UserError("worst ranks need one column of differences, all of them finite")
    if min(lost, won, both) < 0:
        raise UserError(f"numbers of failed seeds start at 0, got {lost}, {won} and {both}")
    worse = measured if lower_is_better else -measured
    signed = np.concatenate([worse, np.full(lost, np.inf), np.full(won, -np.inf), np.zeros(both)])
    twice = np.rint(2 * stats.rankdata(np.abs(signed))).astype(np.int64)  # midranks are halves
    against, in_favour = int(twice[signed > 0].sum()), int(twice[signed < 0].sum())
    if against == in_favour:
        return WorstRanks(1.0, None, lost, won)
    p = _p(twice[signed != 0], abs(against - in_favour))
    return WorstRanks(p, "baseline" if against > in_favour else "variant", lost, won)


def best_ranks(better: bool, pairs: int, lost: int, won: int, both: int) -> WorstRanks:
    """Return the test of the case that speaks most for a verdict: every measured pair does.

    Args:
        better: True for "better", False for "worse".
        pairs: that both finished.
        lost: as of `worst_rank_p`.
        won: likewise.
        both: likewise.
    """
    return worst_rank_p(np.arange(1, pairs + 1) * (-1.0 if better else 1.0), lost, won, both=both)


def _p(ranks: _Ranks, apart: int) -> float:
    """Return the chance that random signs give a sum of ranks at least so far from zero."""
    if ranks.size > EXACT_RANKS:
        return float(2 * special.ndtr(-apart / math.sqrt(float((ranks**2).sum()))))
    total = int(ranks.sum())
    chances = np.zeros(total + 1)  # of each sum of the ranks with a plus
    chances[0] = 1.0
    reach = 0
    for rank in ranks:
        chances[: reach + rank + 1] /= 2
        shifted = chances[: reach + 1].copy()
        chances[rank : rank + reach + 1] += shifted
        reach += int(rank)
    # a sum s of the pluses is 2 s - total from zero, and the distribution is symmetric
    return min(1.0, float(2 * chances[: (total - apart) // 2 + 1].sum()))
