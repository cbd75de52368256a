"""The error of a mean over two crossed samples: against integrals, its limits, and how often it is wrong."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from ablations.analysis.stats.crossed_error import CrossedError, MeanSquares, error_of_mean
from ablations.analysis.stats.paired import paired_difference

SIZES = st.floats(1e-3, 1e3)
FREEDOMS = st.integers(1, 10_000).map(float)


@pytest.mark.parametrize("distance", [0.0, 0.4, 2.0, 5.0])
@pytest.mark.parametrize(
    "error",
    [
        CrossedError(1.0, 3, 1.0, 9999),
        CrossedError(1.0, 3, 0.2, 9999),
        CrossedError(0.2, 3, 1.0, 9999),
        CrossedError(1.0, 2, 0.7, 4),
        CrossedError(0.5, 29, 0.5, 99),
    ],
)
def test_the_chance_is_that_of_a_sum_of_two_t_variables(error: CrossedError, distance: float) -> None:
    def both(share: float) -> float:
        few = error.few_se * stats.t.ppf(share, error.few_df)
        return float(stats.t.sf((distance - few) / error.many_se, error.many_df))

    wanted, _ = integrate.quad(both, 0, 1, epsabs=1e-11, epsrel=1e-9, limit=2000)
    assert error.beyond(distance) == pytest.approx(wanted, rel=1e-5, abs=1e-9)
    assert error.beyond(-distance) == pytest.approx(1 - wanted, rel=1e-5)


def test_two_cauchy_variables_add_up_to_one() -> None:
    found = CrossedError(1.0, 1, 2.0, 1)
    assert found.beyond(7.5) == pytest.approx(stats.cauchy.sf(7.5, scale=3), rel=1e-9)
    assert found.half_width(0.95) == pytest.approx(stats.cauchy.ppf(0.975, scale=3), rel=1e-6)


@pytest.mark.parametrize("zero", [0.0, 1e-12])
def test_where_one_sample_adds_nothing_it_is_the_t_of_the_other(zero: float) -> None:
    few, many = CrossedError(0.3, 4, zero, 500), CrossedError(zero, 4, 0.3, 500)
    assert few.half_width(0.99) == pytest.approx(0.3 * stats.t.ppf(0.995, 4), rel=1e-9)
    assert many.half_width(0.99) == pytest.approx(0.3 * stats.t.ppf(0.995, 500), rel=1e-9)
    assert few.beyond(1.0) == pytest.approx(stats.t.sf(1 / 0.3, 4), rel=1e-9)


@given(SIZES, FREEDOMS, SIZES, FREEDOMS, st.floats(0.5, 0.9999))
def test_it_is_wider_than_of_either_sample_and_narrower_than_of_both_one_after_the_other(
    few: float, few_df: float, many: float, many_df: float, confidence: float
) -> None:
    error = CrossedError(few, few_df, many, many_df)
    half = error.half_width(confidence)
    alone = [stats.t.ppf((1 + confidence) / 2, df) * se for se, df in ((few, few_df), (many, many_df))]
    assert max(alone) * (1 - 1e-9) <= half <= sum(alone) * (1 + 2e-6)
    assert 2 * error.beyond(half) == pytest.approx(1 - confidence, rel=1e-4)
    assert error.beyond(half) <= error.beyond(half / 2) <= 0.5 + 1e-9


def test_the_larger_sample_is_the_one_whose_own_part_is_taken_out() -> None:
    ms = MeanSquares(800.0, 500.0, 200.0)
    of = error_of_mean(ms, 4, 25)
    assert (of.few_df, of.many_df) == (3, 24)
    assert (of.few_se**2, of.many_se**2) == (pytest.approx(8.0), pytest.approx(3.0))
    assert of.se**2 == pytest.approx((800 + 500 - 200) / 100)
    assert error_of_mean(MeanSquares(500.0, 800.0, 200.0), 25, 4) == of


def test_seeds_that_agree_by_chance_are_not_taken_to_agree() -> None:
    assert error_of_mean(MeanSquares(0.0, 300.0, 200.0), 2, 50).few_se ** 2 == pytest.approx(2.0)
    assert error_of_mean(MeanSquares(0.0, 100.0, 200.0), 2, 50).many_se == 0.0
    assert error_of_mean(MeanSquares(0.0, 0.0, 0.0), 2, 50).se == 0.0


def test_it_is_never_narrower_than_over_seeds_alone() -> None:
    values = np.array([-0.8, -0.7, -0.9, -1.1])
    over_seeds = paired_difference(values, np.zeros(4))
    ms = MeanSquares(10_000 * values.var(ddof=1), 1100.0, 1000.0)
    half = error_of_mean(ms, 4, 10_000).half_width(0.95)
    assert over_seeds.lo is not None
    assert over_seeds.mean is not None
    assert half > over_seeds.mean - over_seeds.lo


@pytest.mark.parametrize("level", [0.05, 0.05 / 24])
@pytest.mark.parametrize("of_images", [0.02, 0.1, 0.3, 0.8])
@pytest.mark.parametrize("seeds", [3, 4, 6, 10])
def test_differences_that_are_not_there_are_found_as_rarely_as_said(
    seeds: int, of_images: float, level: float
) -> None:
    """With 24 comparisons Holm's first step asks for this level; a t with Satterthwaite's df would fail here."""
    random, studies = np.random.default_rng(0), 40_000
    means = random.normal(0, 1, studies)
    of_seeds = (1 - of_images) * random.chisquare(seeds - 1, studies) / (seeds - 1)
    certain, t = 0, np.abs(means) / np.sqrt(of_seeds + of_images)
    for place in np.flatnonzero(t > stats.norm.ppf(1 - level / 2)):  # no other can be found
        error = CrossedError(np.sqrt(of_seeds[place]), seeds - 1, np.sqrt(of_images), 9_999)
        certain += 2 * error.beyond(abs(means[place])) <= level
    three_errors = 3 * np.sqrt(level * studies)
    assert certain <= level * studies + three_errors
