"""Differences over new seeds and new test images, of metrics that are no means over images.

Each run has the metric on the test images, and on resamples of them that all runs share. Of n seeds that two rows have
in common, with the difference d_s on the test images and d_sb on resample b,

    a = variance of d_s over seeds / n
    b = variance over resamples of the mean of d_sb over seeds
    c = (mean over seeds of the variance of d_sb over resamples - b) / (n - 1)

stand for the shares MS_R / RN, MS_I / RN and MS_E / RN of the two-way layout in `crossed`, beside this,
and the interval follows from them as there. For a metric that is a mean over images it is the same up to the chance of
the draws.

Source: as there; the bootstrap for the images' share is ours.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ablations.analysis.stats.crossed_error import MeanSquares, error_of_mean
from senet_core.errors import UserError

_LEAST_DRAWS = 20


@dataclass(frozen=True)
class ResampledDifference:
    """A mean difference with its interval over new seeds and new images, in the metric's units.

    Attributes:
        mean: variant minus baseline on the test images, over seeds.
        lo, hi: ends of the interval; None below two seeds, and where nothing varies.
        image_sd: standard deviation of the mean over resampled images, with these seeds.
        seeds: how many.
        confidence: of the interval, between 0 and 1.
    """

    mean: float
    lo: float | None
    hi: float | None
    image_sd: float
    seeds: int
    confidence: float = 0.95


def resampled_difference(
    values: NDArray[np.float64], draws: NDArray[np.float64], *, images: int, confidence: float = 0.95
) -> ResampledDifference:
    """Return a mean difference with its interval over new seeds and new images.

    Args:
        values: (seeds,) differences on the test images.
        draws: (seeds, resamples) differences on the same resamples for all seeds, at least 20.
        images: how many test images there are, at least 2.
        confidence: of the interval, between 0 and 1.

    Raises:
        UserError: the shapes do not fit, or a number is out of range.
    """
    seeds = len(values)
    if (
        values.ndim != 1
        or draws.ndim != 2
        or not seeds
        or len(draws) != seeds
        or draws.shape[1] < _LEAST_DRAWS
    ):
        raise UserError(
            f"differences must be (seeds,) and (seeds, resamples) with at least {_LEAST_DRAWS} resamples, got"
            f" {values.shape} and {draws.shape}"
        )
    if images < 2 or not 0 < confidence < 1:
        raise UserError(
            f"needed are at least 2 images and a confidence between 0 and 1, got {images} and {confidence!r}"
        )
    mean, of_images = float(values.mean()), float(draws.mean(axis=0).var(ddof=1))
    image_sd = math.sqrt(of_images)
    if seeds < 2:
        return ResampledDifference(mean, None, None, image_sd, seeds, confidence)
    single = float(draws.var(axis=1, ddof=1).mean())
    shares = (float(values.var(ddof=1)) / seeds, of_images, max(0.0, single - of_images) / (seeds - 1))
    scale = seeds * images
    error = error_of_mean(MeanSquares(*(scale * share for share in shares)), seeds, images)
    half = error.half_width(confidence) if error.se > 0 else None
    lo, hi = (None, None) if half is None else (mean - half, mean + half)
    return ResampledDifference(mean, lo, hi, image_sd, seeds, confidence)
