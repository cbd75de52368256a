"""What a paired comparison of n seeds can find: power, the smallest difference it detects, the seeds it needs. Public.

    >>> from ablations.analysis.stats.power import detectable, paired_power, seeds_needed
    >>> round(paired_power(0.3, sd=0.35, n=10), 3)
    0.675
    >>> round(detectable(sd=0.35, n=10), 3)
    0.349
    >>> seeds_needed(0.3, sd=0.35)
    13

Everywhere `sd` is the standard deviation over seeds of the paired difference (variant minus baseline with the same
seed), in the units of the difference. Where one variant's results have the standard deviation s over seeds and two
variants the correlation rho, it is s * sqrt(2 (1 - rho)); `sd_of_difference` says so.

The figures are exact for normal differences: the noncentral t-distribution, as the average of normal probabilities
over the distribution of the sample's own standard deviation. After a correction over a family of m comparisons give
alpha / m as the level (`first_level`): Bonferroni's, which is the level of Holm's first step. Holm's later steps are
less strict, so the power in a table is at least this.

Source: Student's t-test under the alternative: Johnson, Kotz and Balakrishnan 1995, "Continuous Univariate
Distributions", volume 2, chapter 31. Equivalence: Phillips 1990, "Power of the two one-sided tests procedure in
bioequivalence"; Owen 1965, "A special case of a bivariate non-central t-distribution". Correction: Holm 1979.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable

from scipy import integrate, optimize, special

from ablations.analysis.stats.equivalence import MOST_SEEDS, PROBABLY, check_margin
from senet_core.errors import UserError
from senet_core.given import check_above_zero

ALPHA = 0.05
"""The level of every table."""

_TAIL = 8.0  # standard deviations of the sample's spread beyond which nothing is left (1e-15)


def sd_of_difference(sd: float, rho: float = 0.0) -> float:
    """Return the standard deviation of a paired difference from that of one variant over seeds.

    Args:
        sd: of each variant's results over seeds, above 0.
        rho: correlation of two variants over seeds, from -1 to below 1; 0 where pairing gains nothing.

    Raises:
        UserError: one of them is out of range.
    """
    check_above_zero("sd", sd)
    if not -1 <= rho < 1:
        raise UserError(f"rho must be from -1 to below 1, got {rho!r}")
    return sd * math.sqrt(2 * (1 - rho))


def first_level(comparisons: int, alpha: float = ALPHA) -> float:
    """Return the level at which the first of a family of comparisons is tested: alpha / m, Bonferroni's and Holm's.

    Args:
        comparisons: in the family, at least 1.
        alpha: family-wise level.
    """
    return alpha / max(1, comparisons)


def paired_power(difference: float, sd: float, n: int, alpha: float = ALPHA) -> float:
    """Return the probability that a two-sided paired t-test finds a true difference.

    Args:
        difference: the true one, in any units.
        sd: of the paired differences over seeds, in the same units, above 0.
        n: seeds, at least 2.
        alpha: two-sided level, between 0 and 1.

    Raises:
        UserError: an argument is out of range.
    """
    _check(sd, n, alpha)
    critical = float(special.stdtrit(n - 1, 1 - alpha / 2))
    shift = difference / sd * math.sqrt(n)

    def given(spread: float) -> float:
        return float(special.ndtr(shift - critical * spread) + special.ndtr(-shift - critical * spread))

    return min(1.0, _over_spread(given, n - 1))


def detectable(sd: float, n: int, alpha: float = ALPHA, power: float = PROBABLY) -> float:
    """Return the smallest true difference that n seeds find with a probability of `power`.

    Args:
        sd: of the paired differences over seeds, above 0.
        n: seeds, at least 2.
        alpha: two-sided level.
        power: above alpha, below 1.

    Returns:
        In the units of `sd`.

    Raises:
        UserError: an argument is out of range.
    """
    _check(sd, n, alpha)
    if not alpha < power < 1:
        raise UserError(f"power must be between the level {alpha!r} and 1, got {power!r}")
    high = 1.0
    while paired_power(high, 1.0, n, alpha) < power:
        high *= 2
    return sd * float(
        optimize.brentq(lambda effect: paired_power(effect, 1.0, n, alpha) - power, 0.0, high, xtol=1e-12)
    )


def seeds_needed(
    difference: float, sd: float, alpha: float = ALPHA, power: float = PROBABLY, most: int = MOST_SEEDS
) -> int | None:
    """Return the fewest seeds with which a true difference is found with a probability of `power`.

    Args:
        difference: not 0, in the units of `sd`.
        sd: of the paired differences over seeds, above 0.
        alpha: two-sided level.
        power: between 0 and 1.
        most: where so many seeds would not do, the answer is None.

    Raises:
        UserError: an argument is out of range.
    """
    check_above_zero("difference", abs(difference))
    low, high = 1, 2
    while paired_power(difference, sd, high, alpha) < power:
        if high >= most:
            return None
        low, high = high, min(2 * high, most)
    return bisect_left(range(high), power, low + 1, key=lambda n: paired_power(difference, sd, n, alpha))


def equivalence_power(
    sd: float, n: int, margin: float, alpha: float = ALPHA, difference: float = 0.0
) -> float:
    """Return the probability that two one-sided paired t-tests call a pair equivalent within +-margin.

    Args:
        sd: of the paired differences over seeds, above 0.
        n: seeds, at least 2.
        margin: smallest effect of interest, in the units of `sd`, above 0.
        alpha: one-sided level of each test.
        difference: the true one; 0 for a pair that is equal.

    Raises:
        UserError: an argument is out of range.
    """
    _check(sd, n, alpha)
    check_margin(margin)
    error = sd / math.sqrt(n)
    critical = float(special.stdtrit(n - 1, 1 - alpha))

    def given(spread: float) -> float:
        room = margin / error - critical * spread
        shift = difference / error
        return float(special.ndtr(room - shift) - special.ndtr(-room - shift)) if room > 0 else 0.0

    return _over_spread(given, n - 1, upper=margin / error / critical)


def _over_spread(given: Callable[[float], float], df: int, upper: float = math.inf) -> float:
    """Average over the sample's standard deviation in units of the true one: the root of chi-square over df."""
    scale = math.log(2) + df / 2 * math.log(df / 2) - float(special.gammaln(df / 2))

    def weighted(spread: float) -> float:
        if spread <= 0:
            return 0.0
        return given(spread) * math.exp(scale + (df - 1) * math.log(spread) - df * spread**2 / 2)

    width = _TAIL / math.sqrt(2 * df)
    low, high = max(0.0, 1 - width), min(1 + width + (3 if df < 4 else 0), upper)
    if high <= low:
        return 0.0
    return float(integrate.quad(weighted, low, high, epsabs=1e-13, epsrel=1e-12, limit=400)[0])


def _check(sd: float, n: int, alpha: float) -> None:
    check_above_zero("sd", sd)
    if n < 2:
        raise UserError(f"a paired test needs at least 2 seeds, got {n!r}")
    if not 0 < alpha < 1:
        raise UserError(f"alpha must be between 0 and 1, got {alpha!r}")
