"""Intervals over seeds and images from resamples: those of the crossed layout for a mean over images."""

from __future__ import annotations

import numpy as np
import pytest

from ablations.analysis.stats.outcomes.crossed import crossed_difference
from ablations.analysis.stats.outcomes.resampled import resampled_difference
from senet_core.errors import UserError


def test_for_a_mean_over_images_it_is_the_crossed_interval() -> None:
    rng = np.random.default_rng(3)
    seeds, images, draws = 6, 400, 4000
    hard = rng.random(images)
    variant = rng.random((seeds, images)) < 0.5 + 0.4 * hard + rng.normal(0, 0.03, (seeds, 1))
    baseline = rng.random((seeds, images)) < 0.4 + 0.4 * hard
    weights = rng.multinomial(images, np.full(images, 1 / images), size=draws) / images
    each = 100.0 * (baseline.astype(float) - variant)
    found = resampled_difference(each.mean(axis=1), each @ weights.T, images=images)
    expected = crossed_difference(variant, baseline)
    assert found.mean == pytest.approx(expected.mean)
    assert expected.lo is not None
    assert found.lo is not None
    assert found.lo - found.mean == pytest.approx(expected.lo - expected.mean, rel=0.05)
    assert found.hi is not None
    assert found.hi - found.mean == pytest.approx(found.mean - found.lo)


def test_images_widen_the_interval() -> None:
    rng = np.random.default_rng(0)
    values, noise = rng.normal(1, 0.1, 5), rng.normal(0, 1, 50)
    wide = resampled_difference(values, values[:, None] + noise, images=300)
    narrow = resampled_difference(values, values[:, None] + 0 * noise, images=300)
    assert wide.lo is not None
    assert narrow.lo is not None
    assert wide.lo < narrow.lo < 1
    assert wide.image_sd == pytest.approx(noise.std(ddof=1))


def test_one_seed_has_no_interval_and_wrong_shapes_are_refused() -> None:
    assert resampled_difference(np.ones(1), np.ones((1, 20)), images=5).lo is None
    with pytest.raises(UserError, match=r"at least 20 resamples, got \(2,\) and \(2, 5\)"):
        resampled_difference(np.ones(2), np.ones((2, 5)), images=5)
    with pytest.raises(UserError, match="at least 2 images"):
        resampled_difference(np.ones(2), np.ones((2, 20)), images=1)
