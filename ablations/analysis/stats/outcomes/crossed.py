"""Errors over new seeds and new test images: intervals from which seed's run got which image right.

All seeds of a study are tested on one finite test set. An interval over seeds holds for new seeds on *these* images;
the more seeds there are, the less it covers on new images: of 95 % intervals on 2,000 images 91, 85 and 67 % at 5, 10
and 30 seeds in a simulation where those given here cover 95, 95 and 95 % (2,000 studies each). Here seeds and images
are both samples, and crossed.

With the difference D_ri of seed r (of R) on image i (of N), 100 times -1, 0 or 1, and the mean squares of the two-way
layout without replication

    MS_R = N sum_r (D_r. - D..)^2 / (R - 1)        MS_I = R sum_i (D_.i - D..)^2 / (N - 1)
    MS_E = sum_ri (D_ri - D_r. - D_.i + D..)^2 / ((R - 1)(N - 1))

the mean D.. has the variance (MS_R + MS_I - MS_E) / (R N). `crossed_error` has its distribution, from which interval
and p follow.

Source: Gallas, Pennello and Myers 2007, "Multireader multicase variance analysis for binary data", JOSA A 24, B70;
Jordan 2023, arXiv:2304.01910, for the spread between runs that is real.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from ablations.analysis.stats.crossed_error import CrossedError, MeanSquares, error_of_mean
from ablations.analysis.stats.equivalence import check_margin
from senet_core.errors import UserError

_Bits = NDArray[np.bool_]


@dataclass(frozen=True)
class CrossedLevel:
    """A mean error, or difference of errors, with its interval over new seeds and new images; in points.

    Attributes:
        mean: per cent of images that are wrong, averaged over seeds; for a difference variant minus baseline.
        error: of the mean, over new seeds and new images; None below two seeds or two images.
        lo: lower end of the interval; None as for `error`, and where nothing varies.
        hi: upper end of the interval.
        seeds: how many.
        images: how many.
        floor: the standard error that infinitely many seeds would leave on this test set:
            the root of max(0, (MS_I - MS_E) / (R N)); None as for `error`.
        sigma_dist: standard deviation between runs that is real, on a test set without end: the root of
            max(0, N / (N - 1) (var_r(D_r.) - sum_i var_r(D_ri) / N^2)), which is (MS_R - MS_E) / N; None likewise.
        confidence: of the interval, between 0 and 1.
    """

    mean: float
    error: CrossedError | None
    lo: float | None
    hi: float | None
    seeds: int
    images: int
    floor: float | None
    sigma_dist: float | None
    confidence: float = 0.95

    @property
    def se(self) -> float | None:
        """Standard error over new seeds and new images; None below two seeds or two images."""
        return None if self.error is None else self.error.se

    @property
    def floor_half_width(self) -> float | None:
        """Half the width of the interval that infinitely many seeds would leave on this test set, in points."""
        return (
            None if self.floor is None else _quantile(self.images - 1, (1 + self.confidence) / 2) * self.floor
        )


class CrossedDifference(CrossedLevel):
    """A variant's error minus the baseline's, on the same seeds and images."""

    @property
    def p(self) -> float | None:
        """Two-sided p of no difference, over new seeds and new images; None where there is no interval."""
        if self.error is None or not self.error.se:
            return None
        return min(1.0, 2 * self.error.beyond(abs(self.mean)))

    def tost_p(self, margin: float) -> float | None:
        """Return the larger p of the two one-sided tests against -margin and +margin; None as for `p`.

        Args:
            margin: in points, above 0.
        """
        check_margin(margin)
        if self.error is None or not self.error.se:
            return None
        return self.error.beyond(margin - abs(self.mean))

    def settled_by_seeds(self, margin: float | None, level: float = 0.05) -> bool | None:
        """Return whether infinitely many seeds would give a verdict on this test set, were the mean to stay.

        Args:
            margin: smallest effect of interest, in points, above 0; None if there is none.
            level: of each test, two-sided for a difference and one-sided for equivalence, after correction.

        Returns:
            None where the images' part of the error is not known.
        """
        if self.floor is None:
            return None
        size, df = abs(self.mean), self.images - 1
        if size > 0 and size >= _quantile(df, 1 - level / 2) * self.floor:
            return True
        if margin is None:
            return False
        check_margin(margin)
        return size < margin and margin - size >= _quantile(df, 1 - level) * self.floor


def crossed_difference(variant: _Bits, baseline: _Bits, *, confidence: float = 0.95) -> CrossedDifference:
    """Return the difference of two variants' errors, over new seeds and new images.

    Args:
        variant: (seeds, images), True where that seed's run got that image right.
        baseline: the same of the baseline, with the same seeds and images in the same order.
        confidence: of the interval, between 0 and 1.

    Raises:
        UserError: the two are not tables of booleans of one shape with at least one seed and one image, or
            `confidence` is not between 0 and 1.
    """
    _check(variant, confidence)
    _check(baseline, confidence)
    if variant.shape != baseline.shape:
        raise UserError(
            f"outcomes that are compared need one shape, got {variant.shape} and {baseline.shape}"
        )
    by_seed = _sums(baseline, 1) - _sums(variant, 1)
    by_image = _sums(baseline, 0) - _sums(variant, 0)
    squares = int(np.count_nonzero(variant ^ baseline))
    return CrossedDifference(**_stated(by_seed, by_image, squares, confidence))


def crossed_level(right: _Bits, *, confidence: float = 0.95) -> CrossedLevel:
    """Return one variant's error, over new seeds and new images.

    Args:
        right: (seeds, images), True where that seed's run got that image right.
        confidence: of the interval, between 0 and 1.

    Raises:
        UserError: as for `crossed_difference`.
    """
    _check(right, confidence)
    seeds, images = right.shape
    by_seed, by_image = images - _sums(right, 1), seeds - _sums(right, 0)
    return CrossedLevel(**_stated(by_seed, by_image, int(by_seed.sum()), confidence))


def _stated(
    by_seed: NDArray[np.int64], by_image: NDArray[np.int64], squares: int, confidence: float
) -> dict[str, Any]:
    """Return the attributes of a crossed result from the sums of D / 100 by seed and by image and of its squares."""
    r, n = by_seed.size, by_image.size
    mean = 100 * int(by_seed.sum()) / (r * n)
    nothing = dict.fromkeys(("error", "lo", "hi", "floor", "sigma_dist"))
    stated = {"mean": mean, "seeds": r, "images": n, "confidence": confidence, **nothing}
    if r < 2 or n < 2:
        return stated
    ms = _mean_squares(by_seed, by_image, squares)
    error = error_of_mean(ms, r, n)
    half = error.half_width(confidence) if error.se > 0 else None
    return stated | {
        "error": error,
        "lo": None if half is None else mean - half,
        "hi": None if half is None else mean + half,
        "floor": math.sqrt(max(0.0, ms.second - ms.rest) / (r * n)),
        "sigma_dist": math.sqrt(max(0.0, ms.first - ms.rest) / n),
    }


def _mean_squares(by_seed: NDArray[np.int64], by_image: NDArray[np.int64], squares: int) -> MeanSquares:
    """Work with whole numbers, r n times the sums of squares, so that nothing is lost to rounding."""
    r, n = by_seed.size, by_image.size
    total = int(by_seed.sum()) ** 2
    seeds = r * int((by_seed**2).sum()) - total
    images = n * int((by_image**2).sum()) - total
    rest = r * n * squares - total - seeds - images
    scale = 100.0**2 / (r * n)
    return MeanSquares(scale * seeds / (r - 1), scale * images / (n - 1), scale * rest / ((r - 1) * (n - 1)))


def _sums(right: _Bits, axis: int) -> NDArray[np.int64]:
    found: NDArray[np.int64] = right.sum(axis=axis, dtype=np.int64)
    return found


def _quantile(df: float, share: float) -> float:
    return float(special.stdtrit(df, share))


def _check(right: _Bits, confidence: float) -> None:
    if right.dtype != np.bool_ or right.ndim != 2 or right.size == 0:
        raise UserError(
            f"outcomes must be booleans of the shape (seeds, images), got {right.dtype} of the shape {right.shape}"
        )
    if not 0 < confidence < 1:
        raise UserError(f"confidence must be between 0 and 1, got {confidence!r}")
