"""How many more seeds an open comparison of a finished study probably needs, under the tests that will be used.

Whoever adds seeds to a finished study analyses it a second time. The forecast therefore asks for a verdict at the
second of two analyses, at n and at n + k seeds, of which the first spends the share (n / (n + k))^2 of the level.

What the seeds at hand say of a comparison is not taken at its word: of several comparisons those that stay open are
those whose estimates came out small, and a large one is large by luck, too. The true effects of a study's comparisons
are taken to be normal around zero, with a spread tau that all of its comparisons estimate together:

    mean_i ~ N(0, tau^2 + sigma_i^2 / n_i)
    sigma_i^2 = sd_i^2 (n_i - 1) / chi-square(n_i - 1)
    tau ~ half-Cauchy(sd / 2)

with sd the root mean square of the comparisons' spreads. From this the true effect and spread of one comparison are
drawn 4,000 times, and from them its new seeds; the chance of a verdict is the share of draws that have one.

How often a forecast came true, in 100 studies of 12 comparisons with one baseline, differences with a spread of 0.35
points and a margin of 0.2, judged as the second analysis at the level 5 % / 12: with 5 seeds 82, 80 and 85 % where true
effects are zero, or normal with half or one times that spread; 85 % with four effects of 0.3 to 1 points among zeros;
with 10 seeds 84, 81, 83 and 89 %. The rule aims at 80 % or a little more. Where nothing else is known of the study's
effects (a flat prior) and the second analysis is taken for the only one, 69 to 80 % come true with 5 seeds.

Source: Spiegelhalter, Freedman and Blackburn 1986, "Monitoring clinical trials: conditional or predictive power?";
Efron and Morris 1973, "Stein's estimation rule and its competitors", for effects that are shrunken together; Gelman
2006, "Prior distributions for variance parameters in hierarchical models"; Lan and DeMets 1983 for the two analyses.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from ablations.analysis.stats.equivalence import MOST_SEEDS, PROBABLY, check_margin
from ablations.analysis.stats.interims.sequential import SPENDING_POWER
from senet_core.errors import UserError

_DRAWS = 4000
_SPREADS = 200  # values of sigma and
_TAUS = 80  # of tau at which the joint distribution is weighed
_TAU_SCALE = 0.5  # of the spread over seeds; 1 and 0.25 hit as often within 2 points
_STEP = 1.2
_LOWEST = -9.0  # normal score below which there is nothing
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(200)
_Floats = NDArray[np.float64]


@dataclass(frozen=True)
class KnownDifference:
    """What the seeds of one comparison say.

    Attributes:
        mean: of the paired differences.
        sd: of them over seeds, not below 0.
        n: seeds.
        floor: standard error that no seeds remove, where verdicts hold for new test images; 0 where they do not.
    """

    mean: float
    sd: float
    n: int
    floor: float = 0.0


@dataclass(frozen=True)
class SeedForecast:
    """How many more seeds would probably bring a verdict.

    Attributes:
        more: the smallest number that brings one with a probability of PROBABLY; None where MOST_SEEDS would not do.
        chance: of a verdict with so many, or with MOST_SEEDS in all, between 0 and 1.
    """

    more: int | None
    chance: float


def seeds_to_settle(
    comparisons: Sequence[KnownDifference], which: int, *, margin: float | None, level: float
) -> SeedForecast | None:
    """Return how many more seeds would probably bring a verdict on one of a study's comparisons.

    Args:
        comparisons: all of the study that have at least three seeds and a spread, open or not.
        which: the place of the one that is asked for, from 0.
        margin: smallest effect of interest, in the units of the values, above 0; None for a study without.
        level: of each test, two-sided for a difference and one-sided for equivalence, after correction.

    Returns:
        None where that comparison has fewer than three seeds or no spread.

    Raises:
        UserError: the margin is not above 0 or the level not between 0 and 1.
    """
    if margin is not None:
        check_margin(margin)
    if not 0 < level < 1:
        raise UserError(f"level must be between 0 and 1, got {level!r}")
    if not _says_something(comparisons[which]):
        return None
    known = comparisons[which]
    others = [other for place, other in enumerate(comparisons) if place != which and _says_something(other)]
    future = _SecondAnalysis(known, *_truths(known, others), margin, level)
    last = max(1, MOST_SEEDS - known.n)
    low, high = 0, 1
    while high <= last and future.chance(high) < PROBABLY:
        low, high = high, max(high + 1, math.ceil(high * _STEP))
    if high > last:
        return SeedForecast(None, future.chance(last))
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if future.chance(middle) >= PROBABLY else (middle, high)
    return SeedForecast(high, future.chance(high))


@lru_cache(maxsize=4096)
def second_level(level: float, before: int, total: int, *, two_sided: bool) -> float:
    """Return the level of a fixed test to which the second of two interim analyses comes.

    With normal scores Z1 and Z2, whose correlation is (before / total)^(1/2), it is P(Z2 >= c) where
    P(Z1 < b, Z2 >= c) = level (1 - share) and P(Z1 >= b) = level share; absolute values where the tests are two-sided.
    The boundaries of a study's own tests are exact for unknown variance and take seconds at 100 seeds. These take no
    time; their level is above the exact one by 7 % of it from 5 to 10 or 10 to 20 seeds, and by 1 % from 5 to 20.

    Args:
        level: of both analyses together.
        before: seeds at the first analysis, which spends (before / total)^2 of the level.
        total: seeds at the second.
        two_sided: whether small statistics count like large ones.
    """
    sides = 2 if two_sided else 1
    share = float((before / total) ** SPENDING_POWER)
    rho, rest = math.sqrt(before / total), math.sqrt(1 - before / total)
    bound = -float(special.ndtri(level * share / sides))
    low = -bound if two_sided else min(_LOWEST, bound - 1)
    z = (bound + low) / 2 + (bound - low) / 2 * _NODES
    mass = (bound - low) / 2 * _WEIGHTS * np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)

    def beyond(cut: float) -> float:
        above: _Floats = special.ndtr((rho * z - cut) / rest)
        if two_sided:
            above = above + special.ndtr((-rho * z - cut) / rest)
        return float((mass * above).sum()) - level * (1 - share)

    most, least = (-float(special.ndtri(x * level / sides)) for x in (1 - share, 1.0))
    if beyond(least) <= 0 or beyond(most) >= 0:  # but for rounding it lies between
        return level * (1 - share)
    return float(sides * special.ndtr(-optimize.brentq(beyond, least, most, xtol=1e-10)))


def _says_something(known: KnownDifference) -> bool:
    return known.n >= 3 and known.sd > 0


def _truths(known: KnownDifference, others: Sequence[KnownDifference]) -> tuple[_Floats, _Floats]:
    """Draw true effects and spreads of one comparison, given those of all."""
    generator = np.random.default_rng(0)
    scale = _TAU_SCALE * math.sqrt(math.fsum(one.sd**2 for one in (known, *others)) / (1 + len(others)))
    # from 0 to far beyond anything: the tangent spreads an even grid as the half-Cauchy does
    tau = _taus(scale)
    log_weight = np.zeros(_TAUS)
    for other in others:
        log_weight += _log_weight(other, scale)
    own, sigma = _log_density(known, tau)
    joint = own + log_weight[:, None]
    weight = np.exp(joint - joint.max()).ravel()
    picked = generator.choice(weight.size, _DRAWS, p=weight / weight.sum())
    tau_drawn, sigma_drawn = tau[picked // _SPREADS], sigma[picked % _SPREADS]
    square = sigma_drawn**2 / known.n
    shrink = tau_drawn**2 / (tau_drawn**2 + square)
    mu = shrink * known.mean + np.sqrt(shrink * square) * generator.standard_normal(_DRAWS)
    return mu, sigma_drawn


def _taus(scale: float) -> _Floats:
    grid: _Floats = scale * np.tan(math.pi / 2 * (np.arange(_TAUS) + 0.5) / _TAUS)
    return grid


@lru_cache(maxsize=4096)
def _log_weight(other: KnownDifference, scale: float) -> _Floats:
    """Return the log likelihood of each tau, averaged over what is not known of a comparison's spread."""
    density = np.exp(_log_density(other, _taus(scale))[0]).mean(axis=1)
    weight: _Floats = np.log(np.maximum(density, 1e-300))
    return weight


def _log_density(known: KnownDifference, tau: _Floats) -> tuple[_Floats, _Floats]:
    """Return the log density of a mean given each tau and each true spread, (taus, spreads), and these spreads."""
    df = known.n - 1
    chi_square = special.chdtri(df, (np.arange(_SPREADS) + 0.5) / _SPREADS)
    sigma: _Floats = known.sd * np.sqrt(df / chi_square)
    variance = tau[:, None] ** 2 + sigma[None, :] ** 2 / known.n
    density: _Floats = -0.5 * (np.log(variance) + known.mean**2 / variance)
    return density, sigma


class _SecondAnalysis:
    """Draws of what the second analysis will find."""

    def __init__(
        self, known: KnownDifference, mu: _Floats, sigma: _Floats, margin: float | None, level: float
    ) -> None:
        self._known, self._mu, self._sigma, self._margin, self._level = known, mu, sigma, margin, level

    def chance(self, new: int) -> float:
        """Return the probability of a verdict with so many new seeds."""
        known, generator = self._known, np.random.default_rng(new)
        n, total = known.n, known.n + new
        mean_new = self._mu + self._sigma / math.sqrt(new) * generator.standard_normal(_DRAWS)
        spread_new = generator.chisquare(new - 1, _DRAWS) * self._sigma**2 if new > 1 else 0.0
        mean = (n * known.mean + new * mean_new) / total
        between = n * new / total * (known.mean - mean_new) ** 2
        variance = ((n - 1) * known.sd**2 + spread_new + between) / (total - 1)
        error = np.sqrt(variance / total + known.floor**2)
        settled = np.abs(mean) >= self._critical(total, two_sided=True) * error
        if self._margin is not None:
            settled |= self._margin - np.abs(mean) >= self._critical(total, two_sided=False) * error
        return float(settled.mean())

    def _critical(self, total: int, *, two_sided: bool) -> float:
        level = second_level(self._level, self._known.n, total, two_sided=two_sided)
        return -float(special.stdtrit(total - 1, level / 2 if two_sided else level))
