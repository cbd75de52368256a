"""The shape of values over seeds: runs that are far off, skew, and tests that trust no normality.

A row that trains well now and then collapses has a mean, an interval and a t-test that say little. What is far off is
judged by a rule: a run collapses if it lies on the bad side of the median by more than `limit(n)` times the row's
own robust spread (1.4826 times the median distance from the median), or by more than 5 times the larger of that spread
and the typical spread of the study's rows; and by at least what counts as an effect. The second part finds collapses
of rows with few seeds, whose own spread says nothing: of 49.3, 49.0 and 58.7 where rows typically spread by 1.3.

Of 4,000 normal samples each, 3 to 30 values, 1.4 to 2.3 % are called collapsing or leaping by their own spread, and
1.6 to 2.5 % where the typical spread of 3 to 12 rows counts, too (2.4 to 4.1 % if the row spreads twice as much as the
others and has at most 10 values). `skewed` is D'Agostino's test at 2 %, from 8 values on.

What it is for: where the shape is not ordinary, a t-test's difference must hold by `skew_p`, too. If a variant that
collapses by 10 points in 20 % of its runs is as good as the baseline on average, "better" by the t-test alone is wrong
in 7.5 % of studies with 20 seeds, and in 1.6 % with the rule (2,000 studies). Sign flips and trimmed means do not help:
they uphold nearly all that the t-test says. No test helps where no collapse was seen: with 5, 10 and 20 seeds "better"
is then wrong in 51, 57 and 35 % of all studies if 5 % of the runs collapse, see `most_unseen`.

Source: Iglewicz and Hoaglin 1993, "How to Detect and Handle Outliers", for the robust score; Hall 1992, "On the
removal of skewness by transformation", for the t-test under skew; Tukey and McLaughlin 1963, "Less vulnerable
confidence and significance procedures for location based on a single sample", with Yuen 1974, "The two-sample trimmed t
for unequal population variances", for the test of a trimmed mean; D'Agostino 1970, "Transformation to normality of the
null distribution of g1".
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats

from senet_core.errors import UserError

_TRIM = 0.2  # of the values at each end
_FEWEST_FOR_HALL = 5  # the skewness of three or four values says nothing
_FEWEST_FOR_SKEW = 8  # below, the test's approximation does not hold
_SKEW_LEVEL = 0.02
_FAR = 5.0  # typical spreads; known spreads of a normal sample of 30 exceed 4.1 in 0.1 %
_ROWS_FOR_TYPICAL = 3
_LIMITS = {3: 55.9, 4: 11.1, 5: 13.9, 6: 8.08, 7: 8.66, 8: 6.70, 9: 6.94, 10: 5.92, 11: 6.11, 12: 5.51,
           15: 5.30, 20: 4.73, 25: 4.59, 30: 4.41, 50: 4.21, 100: 4.08}  # fmt: skip
_Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Shape:
    """How values over seeds, or paired differences, are spread.

    Attributes:
        n: finite values.
        mean: of them.
        median: of them.
        worst: the value furthest on the bad side.
        trimmed: mean without a fifth of the values (rounded down) at each end.
        trimmed_p: two-sided p of the trimmed mean being zero; the t-test's below 5 values, where nothing is trimmed;
            None below two values and without spread.
        skew_p: two-sided p of the mean being zero, with skew allowed for (Hall); 1 where skew would turn the sign of
            the mean; None below 5 values and without spread.
        collapses: how many values are far off on the bad side.
        leaps: how many are far off on the good side; of a difference, where the baseline collapses.
        skewed: whether the values lean to one side more than normal ones would; False below 8 values.
    """

    n: int
    mean: float
    median: float
    worst: float
    trimmed: float
    trimmed_p: float | None
    skew_p: float | None
    collapses: int
    leaps: int
    skewed: bool

    @property
    def ordinary(self) -> bool:
        """Whether nothing speaks against a t-test. Where it is False a difference needs a small `skew_p`, too."""
        return not (self.collapses or self.leaps or self.skewed)


def shape_of(
    values: ArrayLike, *, lower_is_better: bool = True, typical_sd: float | None = None, least: float = 0.0
) -> Shape | None:
    """Return the shape of a row's values over seeds, or of paired differences.

    Args:
        values: (seeds,), any units; what is not finite is left out.
        lower_is_better: True for errors and losses, and their differences.
        typical_sd: spread of the study's rows (or differences) over seeds, in the same units, see `typical_spread`.
        least: smaller distances from the median are not far off; the smallest effect of interest does well.

    Returns:
        None without a value.

    Raises:
        UserError: `values` is not one-dimensional.
    """
    x = np.asarray(values, dtype=np.float64)
    if x.ndim != 1:
        raise UserError(f"values must be one-dimensional, got the shape {x.shape}")
    x = np.sort(x[np.isfinite(x)])
    if x.size == 0:
        return None
    median = float(np.median(x))
    bad = x - median if lower_is_better else median - x
    far = _far(x.size, _robust_sd(x), typical_sd, least)
    trimmed, trimmed_p = _trimmed(x)
    return Shape(
        n=int(x.size), mean=float(x.mean()), median=median, worst=float(x[-1] if lower_is_better else x[0]),
        trimmed=trimmed, trimmed_p=trimmed_p, skew_p=_skew_p(x),
        collapses=int((bad > far).sum()), leaps=int((-bad > far).sum()), skewed=_skewed(x),
    )  # fmt: skip


def typical_spread(rows: Iterable[ArrayLike]) -> float | None:
    """Return the typical standard deviation over seeds of a study's rows, which a few odd rows do not move.

    The median of the rows' standard deviations, each over the root of chi-square's median by its degrees of freedom.

    Args:
        rows: (seeds,) values of each row, or paired differences; what is not finite is left out.

    Returns:
        None with fewer than 3 rows of two values or more.
    """
    spreads = []
    for row in rows:
        x = np.asarray(row, dtype=np.float64)
        x = x[np.isfinite(x)]
        if x.size > 1:
            df = x.size - 1
            spreads.append(float(x.std(ddof=1)) / math.sqrt(float(special.chdtri(df, 0.5)) / df))
    return float(np.median(spreads)) if len(spreads) >= _ROWS_FOR_TYPICAL else None


def limit(n: int) -> float:
    """Return how many robust spreads from the median one value of n may lie: normal ones exceed it in 1 % a side."""
    return float(np.interp(n, list(_LIMITS), list(_LIMITS.values())))


def most_unseen(n: int, confidence: float = 0.95) -> float:
    """Return how often a row may collapse of which n runs did not: the upper bound of Clopper and Pearson."""
    return float(1 - (1 - confidence) ** (1 / n))


def no_network_learned(errors: Iterable[float], classes: int, *, images: int | None = None) -> bool:
    """Return whether every error is at the level of chance, 100 (1 - 1 / classes), or above.

    Args:
        errors: per cent, of all rows and seeds; what is not finite is left out.
        classes: of the data, at least 2, all equally frequent.
        images: of the test set, for the width of chance: 4 binomial standard deviations. If not known, it is a fifth of
            what chance gets right, at most 2 points.
    """
    x = np.asarray(list(errors), dtype=np.float64)
    x = x[np.isfinite(x)]
    right = 1 / classes
    width = min(2.0, 20 * right) if images is None else 400 * math.sqrt(right * (1 - right) / images)
    return bool(x.size and (x >= 100 * (1 - right) - width).all())


def looks_like_fractions(values: Iterable[float], margin: float) -> bool:
    """Return whether values seem to be fractions where points are meant: the margin could not be missed.

    Args:
        values: of all rows and seeds; what is not finite is left out.
        margin: smallest effect of interest, above 0.

    Returns:
        True where all values lie in [0, 1], not all at 0, and the margin is larger than their whole range.
    """
    x = np.asarray(list(values), dtype=np.float64)
    x = x[np.isfinite(x)]
    return bool(x.size and x.min() >= 0 and 0 < x.max() <= 1 and margin > x.max() - x.min())


def _far(n: int, own: float, typical: float | None, least: float) -> float:
    """Return the distance from the median beyond which a value is far off."""
    if n < min(_LIMITS):
        return math.inf
    far = limit(n) * own if own > 0 or typical is None else math.inf
    if typical is not None:
        far = min(far, _FAR * max(own, typical))
    return max(far, least)


def _robust_sd(x: _Floats) -> float:
    away = np.abs(x - np.median(x))
    middle = float(np.median(away))
    # where half of the values are equal, as rounded ones may be, the mean distance stands in
    return 1.4826 * middle if middle > 0 else 1.2533 * float(away.mean())


def _trimmed(x: _Floats) -> tuple[float, float | None]:
    """Return the trimmed mean of sorted values and its p.

    With g values cut at each end, h = n - 2 g left and the winsorised standard deviation s, the standard error is
    s ((n - 1) / (h (h - 1)))^(1/2), with h - 1 degrees of freedom.
    """
    n = x.size
    cut = int(_TRIM * n)
    kept = x[cut : n - cut]
    mean, h = float(kept.mean()), kept.size
    winsorised = np.clip(x, kept[0], kept[-1])
    if h < 2 or _is_constant(winsorised):
        return mean, None
    spread = float(winsorised.std(ddof=1))
    t = mean / (spread * math.sqrt((n - 1) / (h * (h - 1))))
    return mean, float(2 * special.stdtr(h - 1, -abs(t)))


def _skew_p(x: _Floats) -> float | None:
    """Return the p of Hall's transformed t statistic, a cubic that rises everywhere, unlike Johnson's (1978).

    With S = mean / sd and the skewness g it is n^(1/2) (S + g S^2 / 3 + g^2 S^3 / 27 + g / (6 n)), with n - 1 degrees
    of freedom.
    """
    n, mean = x.size, float(x.mean())
    if n < _FEWEST_FOR_HALL or _is_constant(x):
        return None
    sd = float(x.std(ddof=1))
    g = float((((x - mean) / sd) ** 3).sum()) * n / ((n - 1) * (n - 2))
    ratio = mean / sd
    t = math.sqrt(n) * (ratio + g * ratio**2 / 3 + g**2 * ratio**3 / 27 + g / (6 * n))
    return float(2 * special.stdtr(n - 1, -abs(t))) if t * mean > 0 else 1.0


def _skewed(x: _Floats) -> bool:
    if x.size < _FEWEST_FOR_SKEW or _is_constant(x):
        return False
    return bool(stats.skewtest((x - x.mean()) / np.ptp(x)).pvalue < _SKEW_LEVEL)  # cubes of losses overflow


def _is_constant(x: _Floats) -> bool:
    """Return whether values differ by rounding alone, or by so little that squares vanish."""
    return float(np.ptp(x)) <= max(1e-12 * float(np.abs(x).max()), 1e-150)
