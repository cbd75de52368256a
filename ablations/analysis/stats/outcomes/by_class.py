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

from ablations.analysis.stats.crossed import CrossedDifference, crossed_difference
from ablations.analysis.stats.paired import paired_difference
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
        found.append(
            ClassDifference(int(label), 100 * float((~theirs).mean()), _difference(ours, theirs, alone))
        )
    return tuple(found)


def _difference(variant: _Bits, baseline: _Bits, confidence: float) -> CrossedDifference:
    """Return the crossed difference; where the images show no spread of their own, that over seeds.

    Of the few images of a class this is common. Their part of the variance, estimated as below 0, would make that of
    the seeds smaller, and leave it fewer degrees of freedom than there are seeds: at the small levels of many classes,
    intervals without an end.
    """
    crossed = _within_range(crossed_difference(variant, baseline, confidence=confidence))
    if crossed.floor != 0:
        return crossed
    errors = (100 * (~right).mean(axis=1) for right in (variant, baseline))
    seeds = paired_difference(*errors, confidence=confidence)
    if not seeds.sd:
        return crossed
    return _within_range(
        replace(crossed, se=seeds.sd / seeds.n**0.5, df=float(seeds.n - 1), lo=seeds.lo, hi=seeds.hi)
    )


def _within_range(found: CrossedDifference) -> CrossedDifference:
    """End the interval where differences of errors end: at 100 points."""
    if found.lo is None or found.hi is None:
        return found
    return replace(found, lo=max(found.lo, -100.0), hi=min(found.hi, 100.0))
