"""Means over test images where there is one network or ensemble, and not one for each seed: bootstrap over images.

What one ensemble gets right is one answer for each image, so that no spread over seeds is there to be seen. The
interval says how much the mean would differ on other test images from the same source, with these very networks; it
says nothing of networks from other seeds, and is narrower than one that does.

Source: Efron 1979, "Bootstrap methods: another look at the jackknife", Annals of Statistics 7, p. 1: the percentile
interval. Values of images take few different numbers, so that their counts are drawn, and not the images.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ablations.analysis.stats.interval import Interval
from senet_core.errors import UserError

DRAWS = 10_000
_SEED = 0  # the same interval whenever it is asked for


def mean_over_images(values: NDArray[np.float64], *, copies: int = 1, confidence: float = 0.95) -> Interval:
    """Return a mean over test images with its interval over new ones.

    Args:
        values: (images,) in points, such as 100 where an image is wrong and 0 where it is right.
        copies: how often the same images follow one another in `values`; an image is then drawn with all of them.
        confidence: of the interval, between 0 and 1.

    Raises:
        UserError: there is no image, the copies do not come out even, or `confidence` is not between 0 and 1.
    """
    if values.ndim != 1 or len(values) == 0 or len(values) % copies:
        raise UserError(f"{values.shape} values are no whole number of {copies} copies of images")
    if not 0 < confidence < 1:
        raise UserError(f"confidence must be between 0 and 1, got {confidence!r}")
    of_image = values.reshape(copies, -1).mean(axis=0)
    mean = float(values.mean())
    levels, counts = np.unique(of_image, return_counts=True)
    if len(levels) == 1:
        return Interval(mean, None, None)
    images = len(of_image)
    drawn = np.random.default_rng(_SEED).multinomial(images, counts / images, size=DRAWS) @ levels / images
    low, high = np.quantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(mean, float(low), float(high))
