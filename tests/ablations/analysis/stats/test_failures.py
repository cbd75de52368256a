"""Failures as worst ranks: against scipy and full enumeration, and what they save from being wrong."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ablations.analysis.stats.failures import EXACT_RANKS, worst_rank_p
from senet_core.errors import UserError

WHOLE = st.lists(st.integers(-6, 6), max_size=7)
FEW = st.integers(0, 2)


@pytest.mark.parametrize("n", [3, 6, 10, 25])
@pytest.mark.parametrize("seed", range(3))
def test_without_failures_and_ties_it_is_scipys_signed_rank_test(n: int, seed: int) -> None:
    d = np.random.default_rng(seed).normal(0.4, 1, n)
    assert worst_rank_p(d, 0, 0).p == pytest.approx(stats.wilcoxon(d, method="exact").pvalue, abs=1e-12)


@given(WHOLE, FEW, FEW, FEW)
def test_it_is_full_enumeration_with_any_ties_zeros_and_failures(
    d: list[int], lost: int, won: int, both: int
) -> None:
    signed = np.array([*d, *[100] * lost, *[-100] * won, *[0] * both], dtype=float)
    ranks = stats.rankdata(np.abs(signed))[signed != 0] if signed.size else np.zeros(0)
    seen = (np.sign(signed[signed != 0]) * ranks).sum()
    sums = np.array([np.dot(signs, ranks) for signs in product((-1, 1), repeat=ranks.size)])
    found = worst_rank_p(d, lost, won, both=both)
    assert found.p == pytest.approx((np.abs(sums) >= abs(seen) - 1e-9).mean(), abs=1e-12)
    assert found.favours == ("baseline" if seen > 0 else "variant" if seen < 0 else None)
    other = worst_rank_p([-x for x in d], won, lost, both=both)
    assert other.p == pytest.approx(found.p)
    assert {found.favours, other.favours} in ({None}, {"variant", "baseline"})
    assert worst_rank_p([-x for x in d], lost, won, both=both, lower_is_better=False) == found


def test_by_hand() -> None:
    alone = worst_rank_p([-0.3, -0.2, -0.4, -0.1, -0.5, -0.6], 0, 0)
    assert (alone.p, alone.favours) == (2 / 64, "variant")
    failed = worst_rank_p([-0.3, -0.2, -0.4, -0.1, -0.5, -0.6], 2, 0)  # 21 against 7.5 + 7.5
    assert (failed.favours, failed.lost) == ("variant", 2)
    assert failed.p > 0.5
    assert worst_rank_p([], 0, 6).p == 2 / 64
    assert worst_rank_p([], 0, 0).favours is None
    assert worst_rank_p([0.0, 0.0], 0, 0).p == 1.0


def test_a_verdict_stands_unless_failures_speak_against_it() -> None:
    differences = [-0.3, -0.2, -0.4, -0.1, -0.5, -0.6]
    assert worst_rank_p(differences, 0, 0).upholds(True, 0.001)
    assert worst_rank_p(differences, 1, 1).upholds(True, 0.001)  # as many failures on both sides
    assert worst_rank_p(differences, 0, 3).upholds(True, 0.001)
    assert not worst_rank_p(differences, 1, 0).upholds(True, 0.05)
    assert worst_rank_p([-0.1 * k for k in range(1, 15)], 1, 0).upholds(True, 0.05)
    assert not worst_rank_p([0.3, 0.2, 0.4], 0, 2).upholds(False, 0.05)
    assert worst_rank_p([0.3, 0.2, 0.4], 2, 0).upholds(False, 0.05)


def test_many_seeds_are_approximated_closely() -> None:
    d = np.random.default_rng(1).normal(0.1, 1, EXACT_RANKS)
    exact, near = worst_rank_p(d, 0, 0).p, worst_rank_p(np.append(d, 1e-9), 0, 0).p
    assert near == pytest.approx(exact, abs=5e-3)
    assert 0 < worst_rank_p(np.ones(EXACT_RANKS), 0, 0).p < 1e-80


@pytest.mark.parametrize(
    ("differences", "lost", "words"),
    [
        ([np.nan], 0, "all of them finite"),
        ([[1.0]], 0, "one column"),
        ([1.0], -1, "start at 0, got -1, 0 and 0"),
    ],
)
def test_what_cannot_be_ranked_is_refused(differences: list[float], lost: int, words: str) -> None:
    with pytest.raises(UserError, match=words):
        worst_rank_p(differences, lost, 0)


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.1, 0.2, 0.3])
def test_a_variant_that_loses_its_worst_runs_is_not_called_better(share: float) -> None:
    generator, n, repetitions, level = np.random.default_rng(7), 10, 5000, 0.05
    wrong, dropped = 0, 0
    limit = stats.norm.isf(share)
    for _ in range(repetitions):
        variant, baseline = generator.standard_normal((2, n))
        failed = variant > limit  # of equal variants, one reports its worst runs as failures
        d = (variant - baseline)[~failed]
        if d.size < 3 or d.mean() >= 0 or stats.ttest_1samp(d, 0).pvalue > level:
            continue
        dropped += 1
        wrong += worst_rank_p(d, int(failed.sum()), 0).upholds(True, level)
    print(share, dropped / repetitions, wrong / repetitions)
    error = 2 * (0.025 * 0.975 / repetitions) ** 0.5
    assert wrong / repetitions <= 0.025 + error
    assert dropped / repetitions > 0.04
