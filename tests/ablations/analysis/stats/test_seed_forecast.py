"""Forecasts of more seeds: what they depend on, and how often they come true."""

from __future__ import annotations

import pytest
from scipy import stats

from ablations.analysis.stats.equivalence import MOST_SEEDS, PROBABLY
from ablations.analysis.stats.interims.sequential import ErrorSpending, boundary
from ablations.analysis.stats.seed_forecast import (
    KnownDifference,
    SeedForecast,
    second_level,
    seeds_to_settle,
)
from senet_core.errors import UserError
from tools.simulation.forecasts import SPREADS, hit_rate

LEVEL = 0.05 / 12
OTHERS = [KnownDifference(mean, 0.35, 8) for mean in (-0.3, 0.02, 0.1, 0.25)]


def asked(
    known: KnownDifference, others: list[KnownDifference] = OTHERS, level: float = LEVEL
) -> SeedForecast:
    forecast = seeds_to_settle([known, *others], 0, margin=0.2, level=level)
    assert forecast is not None
    return forecast


def more(known: KnownDifference, others: list[KnownDifference] = OTHERS, level: float = LEVEL) -> int:
    number = asked(known, others, level).more
    assert number is not None
    return number


def test_forecasts_grow_with_noise_and_with_the_family_and_are_the_same_in_every_call() -> None:
    quiet, loud = KnownDifference(0.05, 0.2, 8), KnownDifference(0.05, 0.4, 8)
    assert more(quiet) < more(loud)
    assert more(quiet, level=0.05) < more(quiet)
    assert asked(loud) == asked(loud)
    assert PROBABLY <= asked(loud).chance < 0.85


def test_an_effect_is_believed_as_far_as_the_study_has_effects() -> None:
    large = KnownDifference(0.45, 0.35, 6)
    none, many = (
        [KnownDifference(scale * x, 0.35, 6) for x in (-1.0, -0.3, 0.1, 0.5, 1.2)] for scale in (0.02, 2.0)
    )
    assert more(large, many) < more(large, none)


def test_where_the_test_set_is_too_small_no_number_of_seeds_will_do() -> None:
    forecast = asked(KnownDifference(0.05, 0.35, 8, floor=0.15))
    assert forecast.more is None
    assert forecast.chance < 0.1
    assert more(KnownDifference(0.05, 0.35, 8, floor=0.01)) >= more(KnownDifference(0.05, 0.35, 8))


def test_one_more_seed_is_thought_of_however_many_there_are() -> None:
    assert more(KnownDifference(0.1, 0.3, MOST_SEEDS + 500)) == 1


def test_without_a_margin_a_small_difference_is_hardly_ever_settled() -> None:
    forecast = seeds_to_settle([KnownDifference(0.01, 0.35, 8), *OTHERS], 0, margin=None, level=LEVEL)
    assert forecast is not None
    assert forecast.more is None
    assert 0 < forecast.chance < PROBABLY


@pytest.mark.parametrize("n", [3, 5, 12])
@pytest.mark.parametrize("alone", [True, False])
def test_few_seeds_and_single_comparisons_have_a_forecast(n: int, alone: bool) -> None:
    forecast = asked(KnownDifference(0.1, 0.3, n), [] if alone else OTHERS)
    assert forecast.more is None or 1 <= forecast.more <= MOST_SEEDS - n
    assert 0 <= forecast.chance <= 1


def test_what_says_nothing_has_no_forecast_and_spoils_none() -> None:
    for silent in (KnownDifference(0.1, 0.3, 2), KnownDifference(0.1, 0.0, 9), KnownDifference(0.1, 0.3, 1)):
        assert seeds_to_settle([silent, *OTHERS], 0, margin=0.2, level=LEVEL) is None
        assert asked(OTHERS[0], [*OTHERS[1:], silent]) == asked(OTHERS[0], OTHERS[1:])


@pytest.mark.parametrize(
    ("margin", "level", "words"),
    [(0.0, 0.05, "margin must be a number above 0"), (0.2, 0.0, "level must be between 0 and 1, got 0.0")],
)
def test_what_is_out_of_range_is_refused(margin: float, level: float, words: str) -> None:
    with pytest.raises(UserError, match=words):
        seeds_to_settle(OTHERS, 0, margin=margin, level=level)


@pytest.mark.parametrize("two_sided", [True, False])
@pytest.mark.parametrize(("before", "total"), [(4, 8), (5, 10), (6, 12)])
def test_the_second_level_is_near_that_of_the_tests_which_will_be_used(
    before: int, total: int, two_sided: bool
) -> None:
    spending = ErrorSpending((before, total), ((before / total) ** 2, 1.0))
    exact = stats.t.sf(boundary(LEVEL, total, spending, two_sided=two_sided), total - 1)
    near = second_level(LEVEL, before, total, two_sided=two_sided)
    assert near == pytest.approx(exact * (2 if two_sided else 1), rel=0.08)
    assert LEVEL * (1 - (before / total) ** 2) <= near <= LEVEL


@pytest.mark.slow
@pytest.mark.parametrize("n", [5, 10])
@pytest.mark.parametrize("spread", SPREADS)
def test_eight_in_ten_forecasts_come_true(n: int, spread: float) -> None:
    found = hit_rate(n, spread, studies=40, seed=11)
    assert found.forecasts > 100
    assert found.hits == pytest.approx(PROBABLY, abs=0.1)
