"""Means over images: the bootstrap's interval beside that which theory gives, and copies of images."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ablations.analysis.stats.interval import Interval
from ablations.analysis.stats.outcomes.over_images import mean_over_images
from senet_core.errors import UserError


def width(found: Interval) -> float:
    """Return the width of an interval that is there."""
    assert found.lo is not None
    assert found.hi is not None
    return found.hi - found.lo


def test_the_interval_of_a_share_is_that_of_a_binomial() -> None:
    wrong = np.zeros(2000)
    wrong[:500] = 100.0
    mean, lo, hi = mean_over_images(wrong)
    half = 1.96 * 100 * math.sqrt(0.25 * 0.75 / 2000)
    assert mean == 25.0
    assert lo == pytest.approx(25 - half, abs=0.1)
    assert hi == pytest.approx(25 + half, abs=0.1)


def test_a_difference_is_paired_image_by_image() -> None:
    both_wrong, once = np.zeros(1000), np.zeros(1000)
    both_wrong[:300], once[:10] = 0.0, 100.0
    assert width(mean_over_images(once - both_wrong)) < 1.5, (
        "only the ten images on which they differ are spread"
    )


def test_copies_of_an_image_are_drawn_together() -> None:
    """Five copies that always agree say no more than one image."""
    one = np.random.default_rng(0).choice([0.0, 100.0], 400)
    alone, copied = mean_over_images(one), mean_over_images(np.tile(one, 5), copies=5)
    assert copied == alone
    assert width(mean_over_images(np.tile(one, 5))) < 0.6 * width(alone), (
        "as 2,000 images it would be too narrow"
    )


def test_what_does_not_vary_has_no_interval() -> None:
    assert mean_over_images(np.full(5, 100.0)) == (100.0, None, None)


def test_bad_input_is_refused() -> None:
    with pytest.raises(UserError, match="no whole number of 5 copies"):
        mean_over_images(np.zeros(12), copies=5)
    with pytest.raises(UserError, match="confidence must be between 0 and 1, got 95"):
        mean_over_images(np.zeros(12), confidence=95)


def test_the_interval_covers_as_often_as_it_says() -> None:
    drawn = np.random.default_rng(1)
    hits = 0
    for _ in range(300):
        wrong = 100.0 * (drawn.random(400) < 0.2)
        _, lo, hi = mean_over_images(wrong)
        hits += lo is not None and hi is not None and lo <= 20 <= hi
    assert 0.90 <= hits / 300 <= 0.985
