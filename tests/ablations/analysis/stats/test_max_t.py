"""Joint sign flips: against an enumeration in plain loops, and what they must keep."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from ablations.analysis.stats.compare import compare
from ablations.analysis.stats.max_t import max_t_p
from ablations.analysis.stats.sign_flip import sign_flip_p
from senet_core.errors import UserError
from tests.ablations.analysis.stats.test_verdicts import frame

Floats = NDArray[np.float64]


def by_loops(d: Floats) -> list[float]:
    """Step-down max-T as Westfall and Young write it, over all 2^n choices of signs."""

    def t_of(values: Floats) -> float:
        kept = values[np.isfinite(values)]
        return abs(float(stats.ttest_1samp(kept, 0).statistic))

    columns = range(d.shape[1])
    observed = [t_of(d[:, c]) for c in columns]
    order = sorted(columns, key=lambda c: -observed[c])
    flipped = [
        [t_of(d[:, c] * np.array(signs)) for c in columns] for signs in product((1, -1), repeat=d.shape[0])
    ]
    p, highest = [0.0] * d.shape[1], 0.0
    for place, c in enumerate(order):
        left = order[place:]
        share = np.mean([max(t[x] for x in left) >= observed[c] - 1e-9 for t in flipped])
        highest = max(highest, float(share))
        p[c] = highest
    return p


@pytest.mark.parametrize("missing", [False, True])
def test_the_p_are_those_of_an_enumeration_in_loops(missing: bool) -> None:
    generator = np.random.default_rng(3)
    d = generator.normal(0, 1, (6, 3)) + generator.normal(0, 1, (6, 1)) + np.array([0.0, 0.8, -2.0])
    if missing:
        d[2, 1] = np.nan
    assert max_t_p(d) == pytest.approx(by_loops(d))


def test_one_row_alone_has_the_p_of_its_own_flips() -> None:
    for seed in range(20):
        d = np.random.default_rng(seed).normal(0.4, 1, 9)
        assert max_t_p(d[:, None]) == pytest.approx([sign_flip_p(d)])


def test_units_and_the_order_of_seeds_and_rows_change_nothing() -> None:
    d = np.random.default_rng(1).normal(0.5, 1, (10, 4))
    p = max_t_p(d)
    assert max_t_p(d * [1e-6, 1.0, 1e9, 3.0]) == pytest.approx(p)
    assert max_t_p(d[::-1]) == pytest.approx(p)
    assert max_t_p(d[:, ::-1]) == pytest.approx(p[::-1])
    assert max_t_p(-d) == pytest.approx(p)


def test_rows_that_go_together_cost_less_than_rows_that_do_not() -> None:
    generator = np.random.default_rng(2)
    one = generator.normal(0.9, 1, (10, 1))
    alike = one + generator.normal(0, 1e-3, (10, 12))
    assert max(max_t_p(alike)) < 3 * sign_flip_p(one[:, 0])  # Holm's method would multiply by 12


def test_differences_without_spread_are_no_division_by_zero() -> None:
    n = 9
    assert max_t_p(np.stack([np.full(n, 0.3), np.zeros(n)], axis=1)) == pytest.approx([2.0 ** (1 - n), 1.0])
    assert max_t_p(np.full((1, 2), 0.5)) == [1.0, 1.0]  # one seed
    assert max_t_p(np.empty((0, 2))) == [1.0, 1.0]


def test_many_seeds_are_flipped_at_random_alike_in_every_call() -> None:
    d = np.random.default_rng(5).normal(0, 1, (25, 3)) + np.array([0, 0.2, 2])
    p = max_t_p(d)
    assert p == max_t_p(d)
    assert p[2] == pytest.approx(1 / 20_001)  # the smallest that random flips can say


def test_other_shapes_are_refused() -> None:
    with pytest.raises(UserError, match="seeds by rows"):
        max_t_p(np.zeros(4))


@pytest.mark.parametrize(("n", "correction"), [(7, "Holm"), (8, "max-T"), (20, "max-T")])
def test_flips_correct_from_eight_pairs_on(n: int, correction: str) -> None:
    data = frame(**{f"v{i}": np.random.default_rng(i).normal(0, 0.2, n) for i in range(4)})
    assert {c.correction for c in compare(data, "v0")} == {correction}


def test_one_row_with_few_pairs_makes_the_family_holms() -> None:
    data = frame(**{f"v{i}": np.random.default_rng(i).normal(0, 0.2, 9) for i in range(4)})
    data.loc[(data["variant"] == "v2") & (data["seed"] < 3), "value"] = math.nan
    assert {c.correction for c in compare(data, "v0")} == {"Holm"}
