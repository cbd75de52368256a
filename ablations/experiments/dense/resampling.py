"""The first metric on resampled test images: the same resamples for every trial on the same data.

AP and mean IoU are no means over images, so that the crossed interval of errors is not for them. What takes its place
is a bootstrap: images are drawn with replacement, as many as there are, and the metric is computed anew. As all trials
see the same draws, differences between rows can be taken draw by draw; `analysis.stats.outcomes.resampled` does it.

Source: Efron 1979, "Bootstrap methods: another look at the jackknife".
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from ablations.planning.metric import RESAMPLED

RESAMPLES = 100
"""A standard deviation of so many draws is right within 7 %, one standard error."""


def image_weights(images: int, digest: str) -> NDArray[np.float64]:
    """Return how often each image is drawn, (RESAMPLES, images).

    Args:
        images: of the test split.
        digest: of the data, from which the draws follow.
    """
    words = hashlib.sha256(f"resamples/{digest}".encode()).digest()
    draws = np.random.default_rng(np.frombuffer(words, np.uint32))
    return draws.multinomial(images, np.full(images, 1 / images), size=RESAMPLES).astype(np.float64)


def resampled_figures(values: Iterable[float]) -> Mapping[str, float]:
    """Return the figures of a result that hold the metric on each resample."""
    return {f"{RESAMPLED}{number:03d}": float(value) for number, value in enumerate(values)}
