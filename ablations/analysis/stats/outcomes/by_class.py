"""Errors by class: where a variant's error differs from the baseline's, over new seeds and new images of each class.

A mean difference of nothing may be a gain in one class and a loss in another. Each class is a comparison of its own, of
fewer images and so less certain than that of all; of many, some differ by chance. So the intervals hold for all classes
(and rows) together, by Bonferroni's inequality, and the p-values are to be corrected over them (Holm).

Simulated with ten classes of 300 images and no difference in the mean, some class is named in at most 9, 6 and 6 % of
studies of 3, 6 and 10 seeds (600 studies each; with effects of single images, and without).

Source: the intervals are those of `crossed`; Dunn 1961, "Multiple comparisons among means", JASA 56, for intervals
that hold together.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ablations.analysis.stats.outcomes.crossed import CrossedDifference, crossed_difference
from senet_core.errors import UserError

_Bits = NDArray[np.bool_]


@dataclass(frozen=True)
class ClassDifference:
    """A variant's error minus the baseline's on the images of one class, on the same seeds.

    Attributes:
        label: of the class, its place among the classes.
        baseline: the baseline's mean error over seeds, in per cent of the images of the class.
        difference: in points, with an interval over new seeds and new images that holds together with the others.
    """

    label: int
    baseline: float
    difference: CrossedDifference


def class_differences(
    variant: _Bits, baseline: _Bits, labels: NDArray[np.int64], *, members: int = 1, confidence: float = 0.95
) -> tuple[ClassDifference, ...]:
    """Return the differences of two variants' errors, class by class; classes without an image are left out.

    Args:
        variant: (seeds, images), True where that seed's run got that image right.
        baseline: the same of the baseline, with the same seeds and images in the same order.
        labels: (images,), the class of each image, from 0.
        members: how many variants are compared, so that the intervals hold for all of their classes together.
        confidence: with which all intervals together hold, between 0 and 1.

    Raises:
        UserError: the labels are not those of the images, or the tables are not of one shape.
    """
    if labels.shape != variant.shape[1:] or (labels < 0).any():
        raise UserError(
            f"each of the images {variant.shape[1:]} needs a class from 0, got {labels.shape} labels"
        )
    classes = np.unique(labels)
    alone = 1 - (1 - confidence) / (members * len(classes))
    found = []
    for label in classes:
        of_class = labels == label
        ours, theirs = variant[:, of_class], baseline[:, of_class]
        difference = _within_range(crossed_difference(ours, theirs, confidence=alone))
        found.append(ClassDifference(int(label), 100 * float((~theirs).mean()), difference))
    return tuple(found)


def _within_range(found: CrossedDifference) -> CrossedDifference:
    """End the interval where differences of errors end: at 100 points."""
    if found.lo is None or found.hi is None:
        return found
    return replace(found, lo=max(found.lo, -100.0), hi=min(found.hi, 100.0))
