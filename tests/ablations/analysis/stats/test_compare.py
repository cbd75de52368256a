"""Estimates and paired comparisons: by hand, against scipy and statsmodels, and for any input."""

from __future__ import annotations

import doctest
import math
import sys
from itertools import pairwise, product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.weightstats import DescrStatsW

from ablations.analysis.stats.compare import compare
from ablations.analysis.stats.holm import holm
from ablations.analysis.stats.paired import estimate, paired_difference
from ablations.analysis.stats.seed_table import describe
from ablations.analysis.stats.sign_flip import sign_flip_p, smallest_sign_flip_p
from senet_core.errors import UserError

NUMBERS = st.floats(-1e6, 1e6, allow_nan=False)
SAMPLES = st.lists(NUMBERS, min_size=0, max_size=14)
P_VALUES = st.lists(st.one_of(st.none(), st.floats(0, 1)), max_size=12)


def frame(**columns: list[float | None]) -> pd.DataFrame:
    rows = [(v, seed, x) for v, values in columns.items() for seed, x in enumerate(values) if x is not None]
    return pd.DataFrame(rows, columns=["variant", "seed", "value"])


def test_an_estimate_by_hand() -> None:
    e = estimate([1.0, 2.0, 3.0])
    assert (e.mean, e.sd, e.n) == (2.0, 1.0, 3)
    assert e.half_width == pytest.approx(
        0.95 * math.sqrt(2 / 0.0975) / math.sqrt(3), rel=1e-9
    )  # t(0.975, 2 df)


@pytest.mark.parametrize(("values", "n"), [([], 0), ([5.0], 1), ([5.0, math.nan], 1), ([5.0, math.inf], 1)])
def test_below_two_values_there_is_no_interval(values: list[float], n: int) -> None:
    e = estimate(values)
    assert (e.n, e.sd, e.lo, e.hi, e.half_width) == (n, None, None, None, None)
    assert e.mean == (5.0 if n else None)


def test_values_that_are_all_equal_have_no_interval() -> None:
    e = estimate([0.1 + 0.2, 0.3, 0.3])
    assert (e.sd, e.lo, e.hi) == (0.0, None, None)


@given(SAMPLES, st.floats(0.5, 0.999))
def test_an_interval_holds_its_mean_and_is_scipys(values: list[float], confidence: float) -> None:
    e = estimate(values, confidence=confidence)
    assert not any(isinstance(x, float) and math.isnan(x) for x in (e.mean, e.sd, e.lo, e.hi))
    if e.lo is None or e.hi is None or e.mean is None:
        return
    assert e.lo <= e.mean <= e.hi
    lo, hi = stats.t.interval(confidence, e.n - 1, np.mean(values), stats.sem(values))
    assert (e.lo, e.hi) == pytest.approx((lo, hi), rel=1e-9, abs=1e-9)


def test_an_interval_is_statsmodels() -> None:
    values = [8.1, 8.4, 8.0, 8.35, 8.2]
    e = estimate(values)
    assert (e.lo, e.hi) == pytest.approx(DescrStatsW(values).tconfint_mean(), abs=1e-12)


def test_a_paired_difference_by_hand() -> None:
    d = paired_difference([2.0, 4.0, 6.0, math.nan], [1.0, 2.0, 3.0, 9.0])  # differences 1, 2, 3
    assert (d.mean, d.sd, d.n, d.only_variant, d.only_baseline) == (2.0, 1.0, 3, 0, 1)
    assert d.flip_p == 0.25  # only the two choices with all signs alike are as extreme, of eight
    assert d.rho == pytest.approx(1.0)
    assert d.gain == pytest.approx(4 + 1)  # variances 4 and 1, of the difference 1


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=3, max_size=12))
def test_a_paired_difference_is_scipys(pairs: list[tuple[float, float]]) -> None:
    a, b = (np.array(column) for column in zip(*pairs, strict=True))
    d = paired_difference(a, b)
    assert all(
        x is None or math.isfinite(x) for x in (d.mean, d.sd, d.lo, d.hi, d.t_p, d.flip_p, d.rho, d.gain)
    )
    if d.t_p is None or d.sd is None or d.sd < 1e-6 * max(np.abs(a).max(), np.abs(b).max()):
        return
    expected = stats.ttest_rel(a, b)
    lo, hi = expected.confidence_interval(0.95)
    assert d.t_p == pytest.approx(expected.pvalue, rel=1e-6, abs=1e-12)
    assert (d.lo, d.hi) == pytest.approx((lo, hi), rel=1e-6, abs=1e-6)
    if d.rho is not None and min(a.std(), b.std()) > 1e-6 * max(np.abs(a).max(), np.abs(b).max()):
        assert d.rho == pytest.approx(stats.pearsonr(a, b).statistic, abs=1e-6)


@given(st.lists(st.tuples(st.integers(-50, 50), st.integers(-50, 50)), min_size=2, max_size=9))
def test_a_difference_is_mirrored_with_its_sides_and_does_not_see_a_common_shift(
    pairs: list[tuple[int, int]],
) -> None:
    a, b = (np.array(column, dtype=float) for column in zip(*pairs, strict=True))
    d, mirrored, shifted = (
        paired_difference(a, b),
        paired_difference(b, a),
        paired_difference(a + 64, b + 64),
    )
    assert (mirrored.mean, mirrored.t_p, mirrored.flip_p) == (-(d.mean or 0), d.t_p, d.flip_p)
    assert (shifted.mean, shifted.lo, shifted.hi, shifted.flip_p) == (d.mean, d.lo, d.hi, d.flip_p)


def test_differences_that_are_all_equal_are_read_by_the_sign_flip_test() -> None:
    d = paired_difference([2.0] * 6, [1.5] * 6)
    assert (d.t_p, d.lo, d.hi, d.flip_p, d.p) == (None, None, None, 2 / 64, 2 / 64)
    assert paired_difference([2.0] * 6, [2.0] * 6).p == 1.0


@given(st.lists(st.integers(-20, 20), min_size=1, max_size=10))
def test_the_sign_flip_p_is_that_of_full_enumeration(values: list[int]) -> None:
    sums = [abs(sum(sign * v for sign, v in zip(signs, values, strict=True)))
            for signs in product((-1, 1), repeat=len(values))]  # fmt: skip
    expected = np.mean([total >= abs(sum(values)) for total in sums])
    assert sign_flip_p(values) == pytest.approx(expected, abs=1e-15)
    assert sign_flip_p([v / 10 for v in values]) == pytest.approx(
        expected, abs=1e-15
    )  # sums that round are ties
    assert sign_flip_p(values[::-1]) == sign_flip_p(values)


def test_the_sign_flip_p_is_scipys_permutation_test() -> None:
    d = np.random.default_rng(3).normal(0.4, 1.0, 11)
    result = stats.permutation_test((d,), np.mean, permutation_type="samples", n_resamples=np.inf)
    assert sign_flip_p(d) == pytest.approx(result.pvalue, abs=1e-12)


def test_the_sign_flip_p_stays_exact_at_forty_and_is_drawn_alike_beyond() -> None:
    d = np.random.default_rng(1).normal(0.3, 1.0, 60)
    assert sign_flip_p(np.ones(40)) == 2.0**-39
    assert sign_flip_p(d) == sign_flip_p(d[::-1])
    assert sign_flip_p(d) == pytest.approx(stats.ttest_1samp(d, 0).pvalue, abs=0.01)


@pytest.mark.parametrize(("n", "p"), [(0, 1.0), (1, 1.0), (3, 0.25), (5, 0.0625), (10, 2 / 1024)])
def test_the_smallest_sign_flip_p(n: int, p: float) -> None:
    assert smallest_sign_flip_p(n) == p
    if n:
        assert sign_flip_p(np.arange(1.0, n + 1)) == p


@pytest.mark.parametrize("bad", [[], [1.0, math.nan], [[1.0]]])
def test_a_sign_flip_test_needs_finite_differences(bad: list[float]) -> None:
    with pytest.raises(UserError, match="at least one difference, all of them finite"):
        sign_flip_p(bad)


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, None]) == [0.03, 0.06, 0.06, None]  # 0.04 may not fall below 0.03 * 2


@given(P_VALUES)
def test_holm_only_raises_and_keeps_order(p_values: list[float | None]) -> None:
    corrected = holm(p_values)
    tested = [p for p in p_values if p is not None]
    kept = [p for p in corrected if p is not None]
    assert [p is None for p in corrected] == [p is None for p in p_values]
    assert all(raw <= p <= 1 for raw, p in zip(tested, kept, strict=True))
    order = np.argsort(tested, kind="stable")
    assert all(kept[i] <= kept[j] for i, j in pairwise(order))


@pytest.mark.parametrize("seed", range(3))
def test_holm_is_statsmodels(seed: int) -> None:
    p_values = [*np.random.default_rng(seed).uniform(0, 0.2, 12), 0.05, 0.05]
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1], abs=1e-12)


def test_the_example_of_the_module_holds() -> None:
    assert doctest.testmod(sys.modules["ablations.analysis.stats.compare"]).failed == 0


def test_compare_corrects_its_family_and_reads_it() -> None:
    data = frame(
        SE=[8.0, 8.2, 8.4, 8.1, 8.3], worse=[9.0, 9.3, 9.4, 9.0, 9.4], alike=[8.1, 8.1, 8.5, 8.0, 8.4],
        better=[7.0, 7.2, 7.5, 7.0, 7.3],
    )  # fmt: skip
    found = {c.variant: c for c in compare(data, "SE")}
    assert list(found) == ["worse", "alike", "better"]
    assert {v: c.reading.verdict for v, c in found.items()} == {
        "worse": "worse", "alike": "undetermined", "better": "better",
    }  # fmt: skip
    assert [c.p_corrected for c in found.values()] == holm([c.difference.p for c in found.values()])
    [alone] = compare(data, "SE", variants=["SE", "alike"])
    assert alone.p_corrected == alone.difference.p


def test_compare_pairs_what_is_there_and_counts_the_rest() -> None:
    data = frame(SE=[1.0, 2.0, None, 4.0], other=[1.5, None, 3.0, 5.0])
    [comparison] = compare(data, "SE")
    d = comparison.difference
    assert (d.n, d.mean, d.only_variant, d.only_baseline) == (2, 0.75, 1, 1)
    assert comparison.reading.words == "no claim possible at n = 2"


def test_higher_can_be_better() -> None:
    data = frame(a=[1.0, 1.1, 0.9, 1.0], b=[2.0, 2.2, 1.9, 2.1])
    [comparison] = compare(data, "a", lower_is_better=False)
    assert (comparison.reading.verdict, comparison.reading.words) == ("better", "better")


def test_describe_estimates_every_variant() -> None:
    assert {name: e.mean for name, e in describe(frame(b=[2.0, 4.0], a=[1.0])).items()} == {
        "b": 3.0,
        "a": 1.0,
    }


def test_what_is_wrong_with_a_frame_is_said() -> None:
    good = frame(SE=[1.0, 2.0])
    with pytest.raises(UserError, match="unknown variant 'SE-'; did you mean 'SE'"):
        compare(good, "SE-")
    with pytest.raises(UserError, match="unknown column 'value'"):
        compare(good.drop(columns="value"), "SE")
    with pytest.raises(UserError, match="variant 'SE' has seed 0 more than once"):
        compare(pd.concat([good, good]), "SE")
    with pytest.raises(UserError, match="one length, got 2 and 1"):
        paired_difference([1.0, 2.0], [1.0])
    with pytest.raises(UserError, match="confidence must be between 0 and 1, got 95"):
        estimate([1.0, 2.0], confidence=95)
    with pytest.raises(UserError, match="one-dimensional"):
        estimate([[1.0, 2.0]])
