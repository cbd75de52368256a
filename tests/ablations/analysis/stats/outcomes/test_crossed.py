"""Intervals over new seeds and new images: against statsmodels, by hand, and by simulation."""

from __future__ import annotations

from dataclasses import astuple
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm

from ablations.analysis.stats.crossed_error import CrossedError
from ablations.analysis.stats.outcomes.crossed import crossed_difference, crossed_level
from ablations.analysis.stats.paired import paired_difference
from senet_core.errors import UserError

Bits = NDArray[np.bool_]


def outcomes(seeds: int, images: int, seed: int, interaction: float = 0.7) -> tuple[Bits, Bits]:
    """Two variants that are equal over all seeds and all images, and differ on each."""
    generator = np.random.default_rng(seed)
    ease = generator.normal(2.4, 1.5, images).astype(np.float32)
    return tuple(
        ease
        + interaction * generator.standard_normal(images, dtype=np.float32)
        + 0.05 * generator.standard_normal((seeds, 1), dtype=np.float32)
        + generator.standard_normal((seeds, images), dtype=np.float32)
        > 0
        for _ in range(2)
    )  # type: ignore[return-value]


@pytest.mark.parametrize(("seeds", "images"), [(2, 25), (4, 20), (7, 12)])
@pytest.mark.parametrize("seed", range(3))
def test_mean_squares_are_those_of_statsmodels(seeds: int, images: int, seed: int) -> None:
    variant, baseline = outcomes(seeds, images, seed)
    for bits, made in (
        (100.0 * (baseline.astype(float) - variant), crossed_difference(variant, baseline)),
        (100.0 * ~variant, crossed_level(variant)),
    ):
        r, i = np.indices(bits.shape)
        data = pd.DataFrame({"d": bits.ravel(), "seed": r.ravel(), "image": i.ravel()})
        table: Any = anova_lm(ols("d ~ C(seed) + C(image)", data).fit(), typ=1)
        ms, df = table["mean_sq"], table["df"]
        of_images = max(0, ms["C(image)"] - ms["Residual"]) / bits.size
        of_seeds = ms["C(seed)"] if ms["C(seed)"] > 1e-9 else ms["Residual"]
        error = CrossedError(np.sqrt(of_seeds / bits.size), df["C(seed)"], np.sqrt(of_images), df["C(image)"])
        assert made.error is not None
        assert astuple(made.error) == pytest.approx(astuple(error), abs=1e-6)
        half = error.half_width(0.95)
        assert (made.mean, made.lo, made.hi) == pytest.approx(
            (bits.mean(), bits.mean() - half, bits.mean() + half), abs=1e-6
        )
        assert made.floor == pytest.approx(np.sqrt(of_images), abs=1e-6)


def test_the_p_belongs_to_the_interval_and_to_the_margin() -> None:
    variant, baseline = outcomes(5, 400, 1)
    found = crossed_difference(variant & (np.arange(400) % 9 > 0), baseline)
    assert found.p is not None
    assert found.error is not None
    assert found.p == pytest.approx(2 * found.error.beyond(abs(found.mean)))
    edge = crossed_difference(
        variant & (np.arange(400) % 9 > 0), baseline, confidence=1 - found.p
    )  # touches zero
    assert min(abs(edge.lo or 1), abs(edge.hi or 1)) == pytest.approx(0, abs=1e-6)
    assert found.tost_p(abs(found.mean) + 3) == pytest.approx(found.error.beyond(3.0))
    assert found.tost_p(abs(found.mean)) == pytest.approx(0.5)
    assert found.tost_p(abs(found.mean) / 2) == pytest.approx(1 - found.error.beyond(abs(found.mean) / 2))


def test_a_level_by_hand() -> None:
    right = np.array([[True, True, True, False], [True, False, True, False]])
    level = crossed_level(right)  # SS_R = 1250, SS_I = 13750, SS_E = 3750, of 18750
    ms_r, ms_i, ms_e = 1250.0, 13750 / 3, 1250.0
    assert (level.mean, level.seeds, level.images) == (37.5, 2, 4)
    assert level.se == pytest.approx(np.sqrt((ms_r + ms_i - ms_e) / 8))
    assert level.error is not None
    assert astuple(level.error) == pytest.approx((np.sqrt(ms_r / 8), 1, np.sqrt((ms_i - ms_e) / 8), 3))
    assert (level.floor, level.sigma_dist) == (pytest.approx(np.sqrt((ms_i - ms_e) / 8)), 0.0)


def test_the_spread_that_is_real_is_jordans() -> None:
    right, _ = outcomes(6, 300, 4)
    p, (r, n) = right.mean(axis=0), right.shape
    accuracy = right.mean(axis=1)
    square = n / (n - 1) * (accuracy.var(ddof=1) - (p * (1 - p)).sum() / n**2 * r / (r - 1))
    assert crossed_level(right).sigma_dist == pytest.approx(100 * np.sqrt(max(0, square)), abs=1e-9)


@given(st.integers(1, 5), st.integers(1, 8), st.integers(0, 10_000), st.floats(0, 1))
def test_any_outcomes_have_numbers_or_none_and_mirror(
    seeds: int, images: int, seed: int, share: float
) -> None:
    a, b = np.random.default_rng(seed).random((2, seeds, images)) < share
    here, there = crossed_difference(a, b), crossed_difference(b, a)
    numbers = (here.se, here.lo, here.hi, here.p, here.floor, here.sigma_dist)
    assert all(x is None or np.isfinite(x) for x in numbers)
    assert (there.mean, there.se, there.p) == (-here.mean, here.se, here.p)
    assert (here.se is None) == (seeds < 2 or images < 2)
    assert here.mean == pytest.approx(crossed_level(a).mean - crossed_level(b).mean, abs=1e-9)
    by_seed = [100 - 100 * x.mean(axis=1) for x in (a, b)]
    assert here.mean == pytest.approx(paired_difference(*by_seed).mean, abs=1e-9)


def test_one_seed_says_nothing_of_other_seeds() -> None:
    one = crossed_difference(np.array([[True, False, True]]), np.array([[False, False, True]]))
    assert one.mean == pytest.approx(-100 / 3)
    assert (one.se, one.error, one.lo, one.p, one.floor, one.floor_half_width) == (None,) * 6
    assert one.settled_by_seeds(0.2) is None
    assert one.tost_p(0.2) is None


def test_equal_outcomes_have_no_interval() -> None:
    right, _ = outcomes(3, 50, 2)
    same = crossed_difference(right, right.copy())
    assert (same.mean, same.se, same.lo, same.p) == (0.0, 0.0, None, None)
    assert same.settled_by_seeds(0.2)


def test_seeds_and_images_that_are_alike_have_the_error_of_what_they_do_together() -> None:
    balanced = np.eye(4, dtype=bool)[:, [0, 1, 2, 3, 0, 1, 2, 3]]
    level = crossed_level(balanced)
    rest = 100**2 * 32 * 0.25 * 0.75 / (3 * 7)  # all of the sum of squares
    assert level.se == pytest.approx(np.sqrt(rest / 32))
    assert level.floor == 0.0


def test_a_small_difference_is_never_settled_on_a_small_test_set() -> None:
    variant, baseline = outcomes(12, 500, 3)
    found = crossed_difference(variant, baseline)
    assert found.floor_half_width is not None
    assert found.floor_half_width > abs(found.mean)
    assert found.settled_by_seeds(0.2) is False
    assert found.settled_by_seeds(None) is False
    assert found.settled_by_seeds(20.0) is True


@pytest.mark.parametrize(
    ("variant", "baseline", "words"),
    [
        (np.ones((2, 3)), np.ones((2, 3), bool), r"booleans of the shape \(seeds, images\), got float64"),
        (np.ones(3, bool), np.ones(3, bool), r"of the shape \(3,\)"),
        (np.ones((2, 3), bool), np.ones((2, 4), bool), r"one shape, got \(2, 3\) and \(2, 4\)"),
        (np.ones((0, 3), bool), np.ones((0, 3), bool), r"of the shape \(0, 3\)"),
    ],
)
def test_what_is_no_table_of_outcomes_is_refused(variant: Any, baseline: Any, words: str) -> None:
    with pytest.raises(UserError, match=words):
        crossed_difference(variant, baseline)
    with pytest.raises(UserError, match="confidence must be between 0 and 1, got 95"):
        crossed_level(np.ones((2, 2), bool), confidence=95)


@pytest.mark.slow
@pytest.mark.parametrize(("seeds", "repetitions"), [(5, 2000), (10, 2000), (30, 2000)])
def test_the_interval_covers_new_images_where_the_one_over_seeds_does_not(
    seeds: int, repetitions: int
) -> None:
    crossed, over_seeds = 0, 0
    for repetition in range(repetitions):
        variant, baseline = outcomes(seeds, 2000, repetition)
        found = crossed_difference(variant, baseline)
        assert found.lo is not None
        assert found.hi is not None
        crossed += found.lo <= 0 <= found.hi
        alone = paired_difference(*(-100 * x.mean(axis=1) for x in (variant, baseline)))
        over_seeds += (alone.lo or 0) <= 0 <= (alone.hi or 0)
    print(seeds, crossed / repetitions, over_seeds / repetitions)
    assert crossed / repetitions >= 0.93
    assert seeds < 30 or over_seeds / repetitions < 0.9
