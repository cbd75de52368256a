"""Equivalence within a declared margin, and how many more seeds an open comparison probably needs.

Source: Schuirmann 1987, "A comparison of the two one-sided tests procedure and the power approach"; Spiegelhalter,
Freedman and Blackburn 1986, "Monitoring clinical trials: conditional or predictive power?".
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import special

from ablations.analysis.stats.paired import PairedDifference
from senet_core.errors import UserError

MARGIN = 0.2
"""The smallest effect of interest where none is declared, in points of top-1 error."""

PROBABLY = 0.8
"""The probability of a verdict at which seeds are called enough."""

MOST_SEEDS = 1000
"""Beyond so many seeds no forecast is made."""

_DRAWS = 2000  # the share of draws with a verdict is then right to two per cent
_STEP = 1.2
_Floats = NDArray[np.float64]


def check_margin(margin: float) -> None:
    """Refuse a margin that is not a positive, finite number."""
    if not (math.isfinite(margin) and margin > 0):
        raise UserError(f"margin must be a number above 0, got {margin!r}")


def tost_p(difference: PairedDifference, margin: float) -> float | None:
    """Return the p of a paired difference beyond +-margin (two one-sided paired t-tests).

    Where all differences are equal there is no t-test; as for differences, the sign-flip test stands in: its p
    is 2^-n inside the margin and 1 outside.

    Args:
        difference: variant minus baseline.
        margin: in the units of the values, above 0.

    Returns:
        The larger of the two one-sided p; None below two pairs.
    """
    check_margin(margin)
    if difference.mean is None or difference.sd is None:
        return None
    room = margin - abs(difference.mean)
    if difference.sd == 0:
        return 2.0**-difference.n if room > 0 else 1.0
    t = room / (difference.sd / math.sqrt(difference.n))
    return float(special.stdtr(difference.n - 1, -t))


def largest_sd(n: int, margin: float, level: float) -> float:
    """Return the spread of differences above which n seeds cannot show equivalence, even at a mean of zero.

    Args:
        n: common seeds, at least 2.
        margin: in the units of the values.
        level: one-sided level of the tests.
    """
    return margin * math.sqrt(n) / float(special.stdtrit(n - 1, 1 - level))


def more_seeds(difference: PairedDifference, margin: float, level: float) -> int | None:
    """Return how many more seeds would probably bring a verdict, a forecast.

    The rule: the smallest number of new seeds with which all seeds together, the old and the new, give a verdict
    (t-test or two one-sided tests, both at `level`) with a probability of at least PROBABLY. The probability is
    averaged over what the present seeds leave open about mean and spread (predictive power with a flat prior,
    2,000 draws, alike in every call). It is a forecast for planning: to analyse a finished comparison again with more
    seeds makes the first analysis an interim one, and raises the chance of a wrong verdict.

    Args:
        difference: what is known.
        margin: in the units of the values.
        level: of each test, two-sided for a difference and one-sided for equivalence, after correction.

    Returns:
        None below three pairs, without spread, and where MOST_SEEDS would not do.
    """
    check_margin(margin)
    if difference.n < 3 or not difference.sd or difference.mean is None:
        return None
    future = _Future(difference.mean, difference.sd, difference.n, margin, level)
    low, high = 0, 1
    while future.settled(high) < PROBABLY:
        low, high = high, max(high + 1, math.ceil(high * _STEP))
        if difference.n + high > MOST_SEEDS:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if future.settled(middle) >= PROBABLY else (middle, high)
    return high


class _Future:
    """Draws of the true mean and spread given the seeds at hand, and of the new seeds' mean and spread."""

    def __init__(self, mean: float, sd: float, n: int, margin: float, level: float) -> None:
        self._mean, self._sd, self._n, self._margin, self._level = mean, sd, n, margin, level
        self._generator = np.random.default_rng(0)
        self._sigma = sd * np.sqrt((n - 1) / self._generator.chisquare(n - 1, _DRAWS))
        self._mu = mean + self._sigma / math.sqrt(n) * self._generator.standard_normal(_DRAWS)
        self._noise = self._generator.standard_normal(_DRAWS)

    def settled(self, new: int) -> float:
        """Return the probability of a verdict with so many new seeds."""
        total = self._n + new
        mean_new = self._mu + self._sigma / math.sqrt(new) * self._noise
        spread_new = self._generator.chisquare(new - 1, _DRAWS) * self._sigma**2 if new > 1 else 0.0
        mean = (self._n * self._mean + new * mean_new) / total
        between = self._n * new / total * (self._mean - mean_new) ** 2
        variance = ((self._n - 1) * self._sd**2 + spread_new + between) / (total - 1)
        error = np.sqrt(variance / total)
        differs = np.abs(mean) >= special.stdtrit(total - 1, 1 - self._level / 2) * error
        alike = self._margin - np.abs(mean) >= special.stdtrit(total - 1, 1 - self._level) * error
        return float(np.mean(differs | alike))
