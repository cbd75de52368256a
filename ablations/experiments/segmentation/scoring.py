"""Mean IoU from counts of pixels, image by image: it is a ratio of sums, and no mean over images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.float64]


@dataclass(frozen=True)
class PixelCounts:
    """Pixels by image and class; those that are passed over count nowhere.

    Attributes:
        both: (images, classes) of the class, and said to be.
        truth: (images, classes) of the class.
        said: (images, classes) said to be of the class.
    """

    both: Counts
    truth: Counts
    said: Counts


def counts_of(
    truth: NDArray[np.uint8], said: NDArray[np.uint8], classes: int, passed: int
) -> tuple[Counts, ...]:
    """Return the three counts of one image, (classes,) each.

    Args:
        truth: (H, W) classes.
        said: (H, W) classes.
        classes: how many, with the background.
        passed: the value of `truth` in pixels that are passed over.
    """
    known = truth != passed
    truth, said = truth[known], said[known]
    both = np.bincount(truth[truth == said], minlength=classes)
    each = (both, np.bincount(truth, minlength=classes), np.bincount(said, minlength=classes))
    return tuple(count.astype(np.float64) for count in each)


def mean_iou(counts: PixelCounts, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean over classes of intersection over union, in per cent; over classes that are there or said to be.

    Args:
        counts: of the images.
        weights: (draws, images), how often each image counts.

    Returns:
        (draws,).
    """
    both, union = weights @ counts.both, weights @ (counts.truth + counts.said - counts.both)
    there = union > 0
    iou = np.divide(both, union, out=np.zeros_like(both), where=there)
    found: NDArray[np.float64] = 100 * iou.sum(axis=1) / np.maximum(there.sum(axis=1), 1)
    return found


def pixels_right(counts: PixelCounts) -> float:
    """Return the share of pixels whose class is right, in per cent."""
    return 100 * float(counts.both.sum() / counts.truth.sum())
