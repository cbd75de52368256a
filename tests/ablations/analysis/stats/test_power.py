"""Power agrees with statsmodels and with simulation, and its inverses with it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import special
from statsmodels.stats.power import TTestPower

from ablations.analysis.stats.power import (
    detectable,
    equivalence_power,
    first_level,
    paired_power,
    sd_of_difference,
    seeds_needed,
)
from senet_core.errors import UserError


@pytest.mark.parametrize("n", [2, 3, 5, 10, 30, 200])
@pytest.mark.parametrize("alpha", [0.05, 0.05 / 12])
@pytest.mark.parametrize("effect", [0.01, 0.1, 0.5, 1.0, 2.0])
def test_power_is_statsmodels(effect: float, alpha: float, n: int) -> None:
    theirs = TTestPower().power(effect, n, alpha)
    if math.isnan(theirs):  # where power is nearly one
        assert 0.999 < paired_power(effect, 1.0, n, alpha) <= 1
        return
    assert paired_power(effect * 0.3, 0.3, n, alpha) == pytest.approx(theirs, abs=1e-9)
    assert paired_power(-effect, 1.0, n, alpha) == pytest.approx(theirs, abs=1e-9)


@pytest.mark.parametrize("effect", [2.0, 5.0, 50.0])
@pytest.mark.parametrize("n", [10, 30, 1000])
def test_power_is_a_number_where_it_is_nearly_one(effect: float, n: int) -> None:
    assert 0.999 < paired_power(effect, 1.0, n) <= 1


@pytest.mark.parametrize("n", [3, 6, 10, 40])
@pytest.mark.parametrize("alpha", [0.05, 0.005])
def test_the_detectable_difference_is_statsmodels(n: int, alpha: float) -> None:
    theirs = TTestPower().solve_power(nobs=n, alpha=alpha, power=0.8)
    assert detectable(0.25, n, alpha) == pytest.approx(0.25 * theirs, rel=1e-6)  # theirs stops there
    assert paired_power(detectable(0.25, n, alpha), 0.25, n, alpha) == pytest.approx(0.8, abs=1e-9)


@pytest.mark.parametrize("difference", [0.02, 0.1, 0.3, 1.0, 5.0])
def test_the_seeds_needed_are_the_fewest(difference: float) -> None:
    n = seeds_needed(difference, 0.25)
    if n is None:
        assert paired_power(difference, 0.25, 1000) < 0.8
    else:
        assert paired_power(difference, 0.25, n) >= 0.8
        assert n == 2 or paired_power(difference, 0.25, n - 1) < 0.8


def test_more_seeds_than_anybody_trains_are_no_number() -> None:
    assert seeds_needed(0.001, 1.0) is None
    assert seeds_needed(0.3, 1.0, most=20) is None


@pytest.mark.parametrize(
    ("sd", "n", "difference"), [(0.2, 6, 0.0), (0.25, 20, 0.0), (0.25, 20, 0.1), (0.3, 10, 0.2)]
)
def test_equivalence_is_what_a_simulation_finds(sd: float, n: int, difference: float) -> None:
    draws = np.random.default_rng(3).normal(difference, sd, (40_000, n))
    t = (0.2 - np.abs(draws.mean(1))) / (draws.std(1, ddof=1) / math.sqrt(n))
    found = float((t >= special.stdtrit(n - 1, 0.95)).mean())
    stated = equivalence_power(sd, n, 0.2, difference=difference)
    assert stated == pytest.approx(found, abs=4 * math.sqrt(0.25 / 40_000))
    assert difference < 0.2 or stated <= 0.05


def test_equivalence_out_of_reach_is_zero_and_in_reach_certain() -> None:
    assert equivalence_power(5.0, 3, 0.01) == pytest.approx(0, abs=1e-4)
    assert equivalence_power(0.01, 10, 0.2) == pytest.approx(1)


def test_one_variants_spread_becomes_a_differences() -> None:
    assert sd_of_difference(0.25) == pytest.approx(0.25 * math.sqrt(2))
    assert sd_of_difference(0.25, 0.5) == pytest.approx(0.25)
    assert first_level(10) == pytest.approx(0.005)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: sd_of_difference(0.0), "sd must be a number above 0, got 0.0"),
        (lambda: sd_of_difference(0.2, 1.0), "rho must be from -1 to below 1, got 1.0"),
        (lambda: paired_power(1, math.nan, 5), "sd must be a number above 0, got nan"),
        (lambda: paired_power(1, 1, 1), "a paired test needs at least 2 seeds, got 1"),
        (lambda: paired_power(1, 1, 5, 0), "alpha must be between 0 and 1, got 0"),
        (lambda: detectable(1, 5, power=1.0), "power must be between the level 0.05 and 1, got 1.0"),
        (lambda: seeds_needed(0, 1), "difference must be a number above 0, got 0"),
        (lambda: equivalence_power(1, 5, -0.2), "margin must be a number above 0, got -0.2"),
    ],
)
def test_what_is_out_of_range_is_refused(call: object, words: str) -> None:
    with pytest.raises(UserError, match=words):
        call()  # type: ignore[operator]
