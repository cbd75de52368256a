"""Resampled noise is the study's: its spread, its correlation between rows, and as much skew as is said."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ablations.analysis.calibration.resampling import NOISES, Noise, draw, residual_differences, target

VALUES = np.array(
    [
        [8.0, 9.0, 8.5],
        [8.2, 9.6, 8.4],
        [8.4, 9.2, 9.0],
        [8.1, 9.3, 8.8],
        [8.6, 9.4, 8.3],
        [8.3, 9.9, 8.6],
    ]
)
DIFFERENCES = VALUES[:, 1:] - VALUES[:, :1]


def drawn(noise: Noise, studies: int = 20_000) -> np.ndarray:
    return draw(residual_differences(VALUES), noise, (studies, 5), np.random.default_rng(0))


def test_residuals_have_the_variance_and_the_correlation_of_the_differences() -> None:
    residuals = residual_differences(VALUES)
    assert residuals.mean(axis=0) == pytest.approx([0, 0], abs=1e-12)
    assert residuals.T @ residuals / len(VALUES) == pytest.approx(np.cov(DIFFERENCES.T))


def test_neither_rows_nor_seeds_have_an_effect_that_is_left() -> None:
    moved = VALUES + np.array([3.0, -1.0, 7.0]) + 5.0 * np.arange(6)[:, None]
    assert residual_differences(moved) == pytest.approx(residual_differences(VALUES))


def test_what_is_drawn_spreads_and_correlates_as_the_study_does() -> None:
    found = np.cov(drawn("as found").reshape(-1, 2).T)
    assert found == pytest.approx(np.cov(DIFFERENCES.T), rel=0.03, abs=0.003)
    found = np.cov(drawn("skewed").reshape(-1, 2).T)
    assert np.diag(found) == pytest.approx(DIFFERENCES.var(axis=0, ddof=1), rel=0.05)
    assert np.sign(found[0, 1]) == np.sign(np.cov(DIFFERENCES.T)[0, 1])


def test_skew_is_kept_in_part_and_is_that_of_the_exponential_where_it_is_asked_for() -> None:
    values = np.zeros((6, 2))
    values[:, 1] = [0.0, 0.0, 0.0, 0.0, 0.0, 1.0]
    noise = draw(residual_differences(values), "as found", (100_000, 2), np.random.default_rng(0)).ravel()
    own = np.array([*[-1 / 6] * 5, 5 / 6])
    skew = (own**3).mean() / (own**2).mean() ** 1.5
    width = 1.06 * 6**-0.2
    assert (noise**3).mean() / (noise**2).mean() ** 1.5 == pytest.approx(
        skew / (1 + width**2) ** 1.5, rel=0.05
    )
    noise = drawn("skewed")[:, :, 0].ravel()
    assert (noise**3).mean() / (noise**2).mean() ** 1.5 == pytest.approx(2.0, rel=0.1)


def test_one_row_of_each_study_collapses_and_keeps_its_mean() -> None:
    found = drawn("one row collapses")
    lone = target(len(found), 2)
    assert lone[:4].tolist() == [0, 1, 0, 1]
    collapsing = found[np.arange(len(found)), :, lone]
    assert collapsing.mean() == pytest.approx(0.0, abs=0.05)
    assert (collapsing > 5).mean() == pytest.approx(0.1, abs=0.005)
    other = found[np.arange(len(found)), :, 1 - lone]
    assert np.abs(other).max() < 5


@pytest.mark.parametrize("noise", NOISES)
def test_the_same_generator_draws_the_same(noise: Noise) -> None:
    assert (drawn(noise, 10) == drawn(noise, 10)).all()
    assert drawn(noise, 10).shape == (10, 5, 2)
    assert math.isfinite(drawn(noise).sum())
