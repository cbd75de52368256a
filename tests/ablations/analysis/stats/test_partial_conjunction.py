"""Several tasks: on how many a difference is shown, and where it varies; against statsmodels and simulation."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.regression.mixed_linear_model import MixedLM

from ablations.analysis.stats.tasks.partial_conjunction import (
    TaskSpread,
    one_sided,
    partial_conjunction,
    shown_on,
    spread_over_tasks,
)
from senet_core.errors import UserError

P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=8)


def spread(differences: Any, **given: Any) -> TaskSpread:
    found = spread_over_tasks(differences, **given)
    assert found is not None
    return found


def made(tasks: int, seeds: int, seed: int) -> Any:
    draw = np.random.default_rng(seed).standard_normal
    return -0.5 + 0.8 * draw((tasks, 1)) + 0.5 * draw((1, seeds)) + 0.3 * draw((tasks, seeds))


def test_by_hand() -> None:
    assert partial_conjunction([0.04, 0.001, 0.02, 0.6]) == pytest.approx((0.004, 0.06, 0.08, 0.6))
    assert shown_on([0.04, 0.001, 0.02, 0.6]) == 1
    assert shown_on([0.01, 0.001, 0.012, None]) == 3
    assert partial_conjunction([0.01, None]) == (0.02, 1.0)
    assert (partial_conjunction([]), shown_on([])) == ((), 0)


@given(P_VALUES)
def test_each_p_is_benjamini_and_hellers_and_none_falls_below_an_easier_claim(p_values: list[float]) -> None:
    ordered, m = sorted(p_values), len(p_values)
    own = [min(1.0, (m - u) * p) for u, p in enumerate(ordered)]
    found = partial_conjunction(p_values)
    assert found == pytest.approx([max(own[: u + 1]) for u in range(m)])
    assert partial_conjunction(p_values[::-1]) == found


def test_one_side_of_a_p() -> None:
    assert one_sided(0.04, -0.3, lower=True) == 0.02
    assert one_sided(0.04, 0.3, lower=True) == 0.98
    assert one_sided(0.04, 0.3, lower=False) == 0.02
    assert one_sided(1.0, 0.0, lower=True) == 0.5
    assert one_sided(None, 0.3, lower=True) is None


@pytest.mark.parametrize(("tasks", "seeds"), [(4, 6), (6, 10)])
@pytest.mark.parametrize("seed", range(2))
def test_the_parts_are_those_of_a_mixed_model(tasks: int, seeds: int, seed: int) -> None:
    d = made(tasks, seeds, seed)
    t, s = np.indices(d.shape)
    data = pd.DataFrame({"d": d.ravel(), "task": t.ravel(), "seed": s.ravel(), "one": 1})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        formula = {"task": "0 + C(task)", "seed": "0 + C(seed)"}
        fit: Any = MixedLM.from_formula("d ~ 1", data, groups="one", vc_formula=formula, re_formula="0").fit()
    found = spread(d)
    parts = dict(zip(fit.model.exog_vc.names, fit.vcomp, strict=True))
    assert min(found.between_tasks, found.between_seeds) > 0
    assert found.between_tasks**2 == pytest.approx(parts["task"], rel=0.01)
    assert found.between_seeds**2 == pytest.approx(parts["seed"], rel=0.01)
    assert found.rest**2 == pytest.approx(fit.scale, rel=0.01)
    assert found.mean == pytest.approx(fit.params["Intercept"], abs=1e-6)
    assert found.se == pytest.approx(fit.bse["Intercept"], rel=0.01)


def test_incomplete_seeds_are_left_out_and_counted() -> None:
    d = made(3, 6, 1)
    holed = np.concatenate([d, np.full((3, 2), math.nan)], axis=1)
    holed[1, 6] = 0.3
    found = spread(holed)
    assert (found.seeds, found.left_out, found.tasks) == (6, 1, 3)
    assert found.mean == spread(d).mean
    assert spread_over_tasks(d[:1]) is None
    assert spread_over_tasks(d[:, :1]) is None


def test_tasks_that_are_alike_do_not_vary() -> None:
    same = spread(np.full((3, 4), -0.2))
    assert (same.mean, same.lo) == (pytest.approx(-0.2), None)
    assert max(same.between_tasks, same.between_seeds, same.rest) < 1e-15


def test_what_is_no_table_is_refused() -> None:
    with pytest.raises(UserError, match=r"shape \(tasks, seeds\), got \(2,\)"):
        spread_over_tasks([1.0, 2.0])
    with pytest.raises(UserError, match="confidence must be between 0 and 1, got 95"):
        spread_over_tasks(made(3, 4, 0), confidence=95)


@pytest.mark.slow
def test_too_many_tasks_are_named_in_five_per_cent_at_most_and_new_tasks_are_covered() -> None:
    generator, repetitions, tasks, real = np.random.default_rng(2), 4000, 5, 2
    wrong, covered = 0, 0
    for _ in range(repetitions):
        shared = generator.standard_normal(8)  # seeds act on all tasks alike
        d = 0.8 * shared + 0.6 * generator.standard_normal((tasks, 8))
        d[:real] -= 3.0
        p = stats.ttest_1samp(d, 0, axis=1, alternative="less").pvalue
        wrong += shown_on([float(x) for x in p]) > real
        random = (
            0.5 * generator.standard_normal((tasks, 1)) + d + np.where(np.arange(tasks) < real, 3, 0)[:, None]
        )
        found = spread(random)
        covered += (found.lo or 0) <= 0 <= (found.hi or 0)
    print(wrong / repetitions, covered / repetitions)
    assert wrong / repetitions <= 0.05 + 3 * (0.05 * 0.95 / repetitions) ** 0.5
    assert covered / repetitions >= 0.94
