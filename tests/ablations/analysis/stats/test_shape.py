"""Shapes of rows: collapses and skew are seen, ordinary noise is left alone, and what the rule saves is counted."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from ablations.analysis.stats.shape import (
    Shape,
    looks_like_fractions,
    most_unseen,
    no_network_learned,
    shape_of,
    typical_spread,
)
from senet_core.errors import UserError

DEEPER = [
    [37.28, 37.66, 36.63],
    [46.50, 47.80, 46.99],
    [38.47, 39.06, 37.97],
    [46.99, 45.83, 44.06],
    [48.97, 49.25, 58.68],
    [49.77, 47.78, 45.64],
]


def seen(values: Any, **given: Any) -> Shape:
    shape = shape_of(values, **given)
    assert shape is not None
    return shape


def test_one_run_of_three_that_is_far_off_is_seen_beside_rows_of_three() -> None:
    typical = typical_spread(DEEPER)
    assert typical == pytest.approx(1.29, abs=0.01)
    shapes = [seen(row, typical_sd=typical, least=0.2) for row in DEEPER]
    assert [s.collapses for s in shapes] == [0, 0, 0, 0, 1, 0]
    assert (shapes[4].worst, shapes[4].median, shapes[4].ordinary) == (58.68, 49.25, False)


def test_more_runs_speak_for_themselves() -> None:
    calm = [8.1, 8.4, 8.0, 8.3, 8.2, 8.35, 8.15, 8.25]
    assert seen(calm).ordinary
    assert (seen([*calm, 18.0]).collapses, seen([*calm, 18.0]).leaps) == (1, 0)
    assert seen([*calm, 18.0, 19.0, 18.5]).collapses == 3  # a quarter of the runs, and none hides another
    assert (seen([*calm, 1.0]).collapses, seen([*calm, 1.0]).leaps) == (0, 1)
    up = seen([100 - x for x in [*calm, 18.0]], lower_is_better=False)
    assert (up.collapses, up.leaps, up.worst) == (1, 0, 82.0)


def test_what_is_smaller_than_an_effect_is_not_far_off() -> None:
    alike = [5.0] * 9 + [5.1]
    assert seen(alike).collapses == 1
    assert seen(alike, least=0.2).collapses == 0
    assert seen([9.0, 9.0, 9.0]).ordinary


def test_skew_is_seen_from_eight_values_on() -> None:
    values = np.array([0.0, 0.1, 0.2, 0.2, 0.4, 0.5, 0.9, 1.4, 2.2, 3.6, 6.0])
    assert seen(values).skewed
    assert not seen(values[-7:]).skewed
    assert not seen(np.arange(12.0)).skewed
    assert seen(1e150 * values).skewed


@pytest.mark.parametrize("n", [3, 5, 9, 10, 20, 31])
def test_the_trimmed_test_is_scipys_and_the_t_test_where_nothing_is_trimmed(n: int) -> None:
    d = np.random.default_rng(n).normal(0.3, 1, n)
    shape = seen(d)
    against_nothing = stats.ttest_ind(d, np.zeros(500), equal_var=False, trim=0.2)  # a side without spread
    assert shape.trimmed_p == pytest.approx(against_nothing.pvalue, abs=1e-9)
    assert shape.trimmed == pytest.approx(stats.trim_mean(d, 0.2))
    if n < 5:
        assert shape.trimmed_p == pytest.approx(stats.ttest_1samp(d, 0).pvalue)


def test_without_skew_the_skew_adjusted_test_is_the_t_test() -> None:
    d = 0.4 + np.array([-1.5, -1.0, -0.4, 0.0, 0.4, 1.0, 1.5])
    assert seen(d).skew_p == pytest.approx(stats.ttest_1samp(d, 0).pvalue)
    assert seen(-d).skew_p == pytest.approx(seen(d).skew_p)


def test_rare_collapses_make_a_good_mean_doubtful() -> None:
    better = np.array([-2.1, -1.9, -2.2, -2.0, -1.8, -2.05, -1.95, -2.15, -2.1, 3.0])
    shape = seen(better)
    t_p = stats.ttest_1samp(better, 0).pvalue
    assert t_p < 0.05
    assert shape.skew_p is not None
    assert shape.skew_p > 0.1 > t_p
    assert seen(-better).skew_p == pytest.approx(shape.skew_p)
    assert seen(better[-4:]).skew_p is None


@settings(max_examples=50)
@given(st.lists(st.one_of(st.floats(-1e6, 1e6), st.just(math.nan)), max_size=12), st.floats(0, 10))
def test_any_values_have_a_shape_or_none_and_mirror(values: list[float], least: float) -> None:
    shape = shape_of(values, least=least)
    finite = [x for x in values if math.isfinite(x)]
    assert (shape is None) == (not finite)
    if shape is None:
        return
    mirror = seen([-x for x in values], least=least, lower_is_better=False)
    assert (mirror.collapses, mirror.leaps, mirror.worst) == (shape.collapses, shape.leaps, -shape.worst)
    assert shape.collapses + shape.leaps <= len(finite) // 2
    for p in (shape.trimmed_p, shape.skew_p):
        assert p is None or 0 <= p <= 1


def test_the_typical_spread_is_not_moved_by_one_row_and_is_unbiased() -> None:
    rows = np.random.default_rng(1).normal(0, 2.0, (4001, 3))
    assert typical_spread(rows) == pytest.approx(2.0, rel=0.05)
    calm = list(rows[:11])
    assert typical_spread([*calm, np.array([0.0, 0.0, 500.0])]) == pytest.approx(
        typical_spread(calm), rel=0.5
    )
    assert typical_spread([[1.0, 2.0], [1.0], [1.0, math.nan, 3.0]]) is None


def test_what_n_runs_leave_possible() -> None:
    assert most_unseen(10) == pytest.approx(0.259, abs=1e-3)
    assert most_unseen(1) == pytest.approx(0.95)


@pytest.mark.parametrize(
    ("errors", "classes", "images", "none"),
    [
        ([90.0, 90.0, 89.4, 91.2], 10, None, True),
        ([90.0, 90.0, 36.0], 10, None, False),
        ([87.9, 90.0], 10, None, False),
        ([98.9, 99.0, 99.1], 100, None, True),
        ([98.5, 99.0], 100, None, False),
        ([85.0, 91.0, 94.0], 10, 360, True),
        ([89.0, 90.0], 10, 1_000_000, False),
        ([50.0, 49.0], 2, None, True),
        ([45.0, 46.0], 2, None, False),
        ([math.nan], 10, None, False),
        ([], 10, None, False),
    ],
)
def test_nobody_learned_only_where_all_are_at_chance(
    errors: list[float], classes: int, images: int | None, none: bool
) -> None:
    assert no_network_learned(errors, classes, images=images) == none


@pytest.mark.parametrize(
    ("values", "margin", "fractions"),
    [
        ([0.08, 0.09, 0.085], 0.2, True),
        ([0.91, 0.93], 0.2, True),
        ([8.1, 8.2], 0.2, False),
        ([0.1, 0.9], 0.2, False),
        ([0.08, 0.09], 0.001, False),
        ([0.0, 0.0], 0.2, False),
        ([-0.1, 0.05], 0.2, False),
        ([math.nan, 0.5], 0.2, True),
        ([], 0.2, False),
    ],
)
def test_fractions_are_told_from_points(values: list[float], margin: float, fractions: bool) -> None:
    assert looks_like_fractions(values, margin) == fractions


def test_values_of_two_dimensions_are_refused() -> None:
    with pytest.raises(UserError, match=r"one-dimensional, got the shape \(1, 2\)"):
        shape_of([[1.0, 2.0]])


@pytest.mark.slow
@pytest.mark.parametrize("n", [3, 4, 5, 8, 10, 14, 20, 30])
def test_ordinary_noise_is_seldom_called_a_collapse(n: int) -> None:
    generator, repetitions, own, beside = np.random.default_rng(n), 4000, 0, 0
    for x in generator.standard_normal((repetitions, n)):
        typical = typical_spread(generator.standard_normal((6, n)))
        alone, among = seen(x), seen(x, typical_sd=typical)
        own += alone.collapses + alone.leaps > 0
        beside += among.collapses + among.leaps > 0
    print(n, 100 * own / repetitions, 100 * beside / repetitions)
    error = 3 * (0.02 * 0.98 / repetitions) ** 0.5
    assert own / repetitions <= 0.02 + error
    assert beside / repetitions <= 0.025 + error


@pytest.mark.slow
def test_seen_collapses_are_named_and_no_longer_make_better_wrong() -> None:
    generator, repetitions, n, rate = np.random.default_rng(5), 2000, 20, 0.2
    by_t, by_rule, collapsed, named = 0, 0, 0, 0
    for _ in range(repetitions):
        hit = generator.random(n) < rate
        variant = generator.normal(-10 * rate, 0.25, n) + 10 * hit  # as good as the baseline on average
        d = variant - generator.normal(0, 0.25, n)
        collapsed += bool(hit.any())
        shape, row = seen(d, least=0.2), seen(variant, least=0.2)
        named += row.collapses > 0
        if hit.any() and d.mean() < 0 and stats.ttest_1samp(d, 0).pvalue <= 0.05:
            by_t += 1
            by_rule += shape.ordinary or (shape.skew_p or 1) <= 0.05
    print(by_t / repetitions, by_rule / repetitions, named / collapsed)
    assert by_t / repetitions > 0.04
    assert by_rule / repetitions <= 0.025
    assert named / collapsed > 0.97
