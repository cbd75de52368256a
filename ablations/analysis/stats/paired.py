"""A mean over seeds, and the paired difference of two variants: their intervals, tests and sizes.

What a number cannot say is None, never NaN: one seed has no interval, and no variation over seeds has none either.

Source: Student's t and Fisher's sign-flip (randomisation) test; Clopper and Pearson 1934, "The use of confidence or
fiducial limits illustrated in the case of the binomial"; Hedges 1981, "Distribution theory for Glass's estimator of
effect size and related estimators". Why t-intervals: with 5 seeds a percentile bootstrap at 95 % covers about 82 %.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from ablations.analysis.stats.sign_flip import sign_flip_p
from senet_core.errors import UserError

_Floats = NDArray[np.float64]

_NO_SPREAD = 1e-12  # a standard deviation this small beside the values is rounding, not variation


@dataclass(frozen=True)
class Estimate:
    """A mean over seeds with its spread and t-interval.

    Attributes:
        mean: None if there is no value.
        sd: sample standard deviation (n - 1); None below two values.
        n: finite values.
        lo: lower end of the interval; None below two values and where all values are equal.
        hi: upper end of the interval.
        confidence: of the interval, between 0 and 1.
    """

    mean: float | None
    sd: float | None
    n: int
    lo: float | None
    hi: float | None
    confidence: float = 0.95

    @property
    def half_width(self) -> float | None:
        """Half the width of the interval, in the units of the mean."""
        return None if self.lo is None or self.hi is None else (self.hi - self.lo) / 2


@dataclass(frozen=True)
class Share:
    """A probability estimated as a share of seeds, with its exact (Clopper-Pearson) interval.

    Attributes:
        value: between 0 and 1; a tie counts half.
        lo: lower end of the interval.
        hi: upper end of the interval.
    """

    value: float
    lo: float
    hi: float

    def other_way(self) -> Share:
        """Return the probability of the opposite."""
        return Share(1 - self.value, 1 - self.hi, 1 - self.lo)


@dataclass(frozen=True)
class PairedDifference:
    """A variant minus the baseline, seed by seed.

    Attributes:
        mean: of the differences; None without a common seed.
        sd: standard deviation of the differences; None below two pairs.
        n: seeds that both have.
        lo: lower end of the t-interval; None below two pairs and where all differences are equal.
        hi: upper end of the t-interval.
        t_p: two-sided p of the paired t-test; None where there is no interval.
        flip_p: two-sided p of the sign-flip permutation test; None without a pair.
        only_variant: seeds that only the variant has; they are left out.
        only_baseline: seeds that only the baseline has; they are left out.
        rho: correlation of variant and baseline over common seeds; None below three pairs or without spread.
        gain: how many times the variance of the difference would be larger without pairing; above 1 pairing
            helped. (sd_variant^2 + sd_baseline^2) / sd^2; None below three pairs or without spread.
        confidence: of the intervals, between 0 and 1.
        effect: standardised effect for pairs (Hedges' g_z): mean / sd, made smaller by 1 - 3 / (4 (n - 1) - 1)
            because few seeds overstate it; None below three pairs or without spread.
        lower: probability that the variant's value is below the baseline's with the same seed, a tie half;
            None without a pair.
    """

    mean: float | None
    sd: float | None
    n: int
    lo: float | None
    hi: float | None
    t_p: float | None
    flip_p: float | None
    only_variant: int = 0
    only_baseline: int = 0
    rho: float | None = None
    gain: float | None = None
    confidence: float = 0.95
    effect: float | None = None
    lower: Share | None = None

    @property
    def p(self) -> float | None:
        """The p that is read: the t-test's, or the sign-flip's where all differences are equal."""
        return self.t_p if self.t_p is not None or self.n < 2 else self.flip_p


def estimate(values: ArrayLike, *, confidence: float = 0.95) -> Estimate:
    """Return a mean with its t-interval.

    Args:
        values: one number a seed, any units; what is not finite is left out.
        confidence: of the interval, between 0 and 1.

    Raises:
        UserError: `values` is not one-dimensional or `confidence` not between 0 and 1.
    """
    finite = _column(values)
    finite = finite[np.isfinite(finite)]
    half = _half_width(finite, confidence)
    mean = float(finite.mean()) if finite.size else None
    sd = _sd(finite) if finite.size > 1 else None
    lo, hi = (None, None) if mean is None or half is None else (mean - half, mean + half)
    return Estimate(mean, sd, int(finite.size), lo, hi, confidence)


def paired_difference(
    variant: ArrayLike, baseline: ArrayLike, *, confidence: float = 0.95
) -> PairedDifference:
    """Return the difference of a variant to the baseline within each seed, with its tests.

    Args:
        variant: (seeds,) values, one a seed; NaN where a seed is missing.
        baseline: (seeds,) values of the same seeds in the same order.
        confidence: of the intervals, between 0 and 1.

    Raises:
        UserError: the two differ in length, are not one-dimensional, or `confidence` is not between 0 and 1.
    """
    a, b = _column(variant), _column(baseline)
    if a.size != b.size:
        raise UserError(f"paired values must have one length, got {a.size} and {b.size}")
    has_a, has_b = np.isfinite(a), np.isfinite(b)
    both = has_a & has_b
    differences = a[both] - b[both]
    stated = estimate(differences, confidence=confidence)
    rho, gain = _pairing(a[both], b[both])
    below = float((differences < 0).sum() + (differences == 0).sum() / 2)
    return PairedDifference(
        mean=stated.mean, sd=stated.sd, n=stated.n, lo=stated.lo, hi=stated.hi,
        t_p=_t_p(stated), flip_p=sign_flip_p(differences) if both.any() else None,
        only_variant=int((has_a & ~has_b).sum()), only_baseline=int((has_b & ~has_a).sum()),
        rho=rho, gain=gain, confidence=confidence, effect=_effect(stated),
        lower=share(below, stated.n, confidence=confidence) if stated.n else None,
    )  # fmt: skip


def share(count: float, n: int, *, confidence: float = 0.95) -> Share:
    """Return a probability with its Clopper-Pearson interval, which covers at least as often as it says.

    Args:
        count: how often it was so, from 0 to n; a half for a tie.
        n: out of how many, at least 1.
        confidence: of the interval, between 0 and 1.
    """
    tail = (1 - confidence) / 2
    lo = float(special.betaincinv(count, n - count + 1, tail)) if count > 0 else 0.0
    hi = float(special.betaincinv(count + 1, n - count, 1 - tail)) if count < n else 1.0
    return Share(count / n, lo, hi)


def _column(values: ArrayLike) -> _Floats:
    column = np.asarray(values, dtype=np.float64)
    if column.ndim != 1:
        raise UserError(f"values must be one-dimensional, got the shape {column.shape}")
    return column


def _sd(values: _Floats) -> float:
    sd = float(values.std(ddof=1))
    return sd if sd > _NO_SPREAD * float(np.abs(values).max()) else 0.0


def _half_width(values: _Floats, confidence: float) -> float | None:
    if not 0 < confidence < 1:
        raise UserError(f"confidence must be between 0 and 1, got {confidence!r}")
    if values.size < 2 or (sd := _sd(values)) == 0:
        return None
    return float(special.stdtrit(values.size - 1, (1 + confidence) / 2)) * sd / math.sqrt(values.size)


def _t_p(stated: Estimate) -> float | None:
    if not stated.sd or stated.mean is None:
        return None
    t = abs(stated.mean) / (stated.sd / math.sqrt(stated.n))
    return float(2 * special.stdtr(stated.n - 1, -t))


def _effect(stated: Estimate) -> float | None:
    if stated.n < 3 or not stated.sd or stated.mean is None:
        return None
    return stated.mean / stated.sd * (1 - 3 / (4 * (stated.n - 1) - 1))


def _pairing(a: _Floats, b: _Floats) -> tuple[float | None, float | None]:
    """Correlation over seeds, and by how much pairing shrank the variance of the difference."""
    if a.size < 3 or (sd_a := _sd(a)) == 0 or (sd_b := _sd(b)) == 0:
        return None, None
    sd = _sd(a - b)
    return float(np.corrcoef(a, b)[0, 1]), (sd_a**2 + sd_b**2) / sd**2 if sd > 0 else None
