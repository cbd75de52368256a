"""Boundaries of interim analyses: exact for one analysis, and kept over many."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from ablations.analysis.stats.comparison import Rules
from ablations.analysis.stats.family import compare_family
from ablations.analysis.stats.interims.schedule import InterimSchedule, analyse_interims, wrong_over_plans
from ablations.analysis.stats.interims.sequential import SMALLEST_P, ErrorSpending, boundary, interim_p
from senet_core.errors import UserError

AT = tuple(range(4, 13))
SPENDING = ErrorSpending(AT, tuple((n / 12) ** 2 for n in AT))


@pytest.mark.parametrize("two_sided", [True, False])
@pytest.mark.parametrize("n", [3, 5, 12])
def test_with_one_analysis_the_p_is_that_of_the_t_test(n: int, two_sided: bool) -> None:
    t = np.array([0.3, 1.0, 2.5, 6.0, 12.0])
    expected = stats.t.sf(t, n - 1) * (2 if two_sided else 1)
    assert interim_p(t, n, ErrorSpending((n,), (1.0,)), two_sided=two_sided) == pytest.approx(
        expected, rel=5e-3
    )


@pytest.mark.parametrize("two_sided", [True, False])
def test_the_chance_of_ever_crossing_is_the_level(two_sided: bool) -> None:
    drawn = np.random.default_rng(5).standard_normal((150_000, 12))
    least = np.ones(len(drawn))
    for n in AT:
        t = stats.ttest_1samp(drawn[:, :n], 0, axis=1).statistic
        least = np.minimum(least, interim_p(t, n, SPENDING, two_sided=two_sided))
    for level in (0.2, 0.05, 0.01, 0.004):
        error = (level * (1 - level) / len(drawn)) ** 0.5
        assert (least <= level).mean() == pytest.approx(level, abs=4 * error)


def test_half_of_the_error_spent_before_leaves_a_half() -> None:
    alone = boundary(0.05, 5, ErrorSpending((5,), (0.5,)), two_sided=True)
    assert stats.t.sf(alone, 4) * 2 == pytest.approx(0.025, rel=0.01)
    second = boundary(0.05, 10, ErrorSpending((5, 10), (0.5, 1.0)), two_sided=True)
    assert boundary(0.05, 10, ErrorSpending((10,), (1.0,)), two_sided=True) < second
    assert second < boundary(0.025, 10, ErrorSpending((10,), (1.0,)), two_sided=True)  # Bonferroni's is wider


def test_a_larger_statistic_has_a_smaller_p_and_none_is_told_apart_below_the_smallest() -> None:
    p = interim_p(np.linspace(0, 40, 400), 6, SPENDING, two_sided=True)
    assert (np.diff(p) <= 0).all()
    assert p[0] == 1.0
    assert interim_p(np.array([1e9]), 6, SPENDING, two_sided=True)[0] == pytest.approx(SMALLEST_P)
    assert interim_p(np.array([-3.0]), 6, SPENDING, two_sided=False)[0] > 0.9


@pytest.mark.parametrize(("at", "spent"), [((), ()), ((1, 2), (0.5, 1)), ((5, 4), (0.5, 1)), ((4, 5), (0.5,)),
                                           ((4, 5), (0.0, 1)), ((4, 5), (0.5, 1.1)), ((4, 5), (0.9, 0.5))])  # fmt: skip
def test_analyses_that_make_no_sense_are_refused(at: tuple[int, ...], spent: tuple[float, ...]) -> None:
    with pytest.raises(UserError, match=r"looks must rise|shares of the error"):
        ErrorSpending(at, spent)
    if at != (4, 5):
        with pytest.raises(UserError, match="looks must rise"):
            InterimSchedule(at, 12)


def test_interim_analyses_keep_the_smallest_p_and_the_direction_it_had() -> None:
    schedule = InterimSchedule(AT, 12)
    shown = np.array([1.0, 1.1, 0.9, 1.05, 1.0, 0.95, -9.0, -9.0])
    early = analyse_interims(shown[:6], schedule, margin=0.2)
    late = analyse_interims(shown, schedule, margin=0.2)
    assert early.p is not None
    assert late.p == early.p < 0.001
    assert late.mean == early.mean == pytest.approx(1.0)
    assert shown.mean() < 0
    assert (early.analyses, late.analyses) == (3, 5)


def test_the_repeated_interval_is_wider_than_that_of_one_analysis() -> None:
    values = np.array([0.1, -0.2, 0.15, 0.05, -0.1, 0.2])
    found = analyse_interims(values, InterimSchedule(AT, 12), margin=None)
    low, high = stats.t.interval(0.95, 5, values.mean(), stats.sem(values))
    assert found.lo is not None
    assert found.hi is not None
    assert found.lo < low < high < found.hi
    assert found.p_tost is None


def test_missing_pairs_delay_a_comparison_and_do_not_end_it() -> None:
    values = np.array([0.5, np.nan, 0.6, 0.4, 0.55, 0.5])
    found = analyse_interims(values, InterimSchedule((4, 5, 6), 6), margin=0.2)
    assert found.analyses == 3  # at 3, 4 and 5 pairs
    assert found.p is not None
    assert found.p < 0.01
    assert analyse_interims(np.full(5, np.nan), InterimSchedule((4, 5), 5), margin=0.2).p is None
    assert (
        analyse_interims(np.array([0.5, 0.5, 0.5, 0.5]), InterimSchedule((4,), 4), margin=0.2).p == 1.0
    )  # no spread, no t


def test_extending_a_plan_after_its_end_adds_to_the_chance_of_error() -> None:
    assert wrong_over_plans([(10, 10)]) == 1.0
    assert wrong_over_plans([(10, 10), (20, 20)]) == pytest.approx(1.75)


def test_an_interval_over_seeds_and_images_is_one_of_all_interim_analyses_too() -> None:
    """Taken as if the seeds had been looked at once, it was narrower than the interval over seeds alone."""
    rng = np.random.default_rng(0)
    hard = rng.random(400) < 0.5
    outcomes = {
        name: {seed: ~(hard & (rng.random(400) < 0.4)) for seed in range(8)} for name in ("base", "other")
    }
    frame = pd.DataFrame(
        [
            (name, seed, 100 * float(1 - right.mean()))
            for name, runs in outcomes.items()
            for seed, right in runs.items()
        ],
        columns=["variant", "seed", "value"],
    )
    pairs = [("other", "base")]
    [once] = compare_family(frame, pairs, Rules(rests_on="seeds"), outcomes)
    [race] = compare_family(frame, pairs, Rules(schedule=InterimSchedule((6, 7, 8), 12)), outcomes)
    assert once.crossed is not None and race.crossed is not None  # noqa: PT018
    assert race.crossed.confidence > once.crossed.confidence == 0.95
    assert half_of(race.crossed) > half_of(race.difference) > half_of(once.difference)
    [between] = compare_family(frame, pairs, Rules(schedule=InterimSchedule((6, 10), 12)), outcomes)
    assert between.crossed is not None
    assert (between.crossed.lo, between.difference.lo) == (None, None)


def half_of(found: Any) -> float:
    """Return half the width of an interval that is there."""
    return float(found.hi - found.lo) / 2
