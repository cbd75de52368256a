"""Over several tasks: interquartile means and the probability of improvement."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ablations.analysis.stats.compare import aggregate, interquartile_mean, probability_of_improvement
from senet_core.errors import UserError

VALUES = st.lists(st.integers(-99, 99), min_size=1, max_size=20)


def tasks(seeds: int = 6, shift: float = -0.5) -> pd.DataFrame:
    generator = np.random.default_rng(3)
    rows = []
    for level, task in ((5.0, "easy"), (30.0, "hard")):
        for seed in range(seeds):
            common = generator.normal(0, 1)
            for variant in ("SE", "max"):
                own = common + generator.normal(0, 0.1) + level + (shift if variant == "max" else 0)
                rows.append((task, variant, seed, own))
    return pd.DataFrame(rows, columns=["task", "variant", "seed", "value"])


@given(VALUES)
def test_the_interquartile_mean_is_scipys_trimmed_mean(values: list[int]) -> None:
    assert interquartile_mean(values) == pytest.approx(stats.trim_mean(values, 0.25), abs=1e-9)


@given(VALUES, VALUES)
def test_the_probability_of_improvement_is_mann_and_whitneys(x: list[int], y: list[int]) -> None:
    u = stats.mannwhitneyu(y, x).statistic / (len(x) * len(y))
    assert probability_of_improvement([x], [y]) == pytest.approx(u, abs=1e-9)
    assert probability_of_improvement([x, x], [y, y], lower_is_better=False) == pytest.approx(1 - u, abs=1e-9)


def test_aggregates_pair_by_seed_and_come_out_alike() -> None:
    base, better = aggregate(tasks(), "SE")
    assert (base.variant, base.difference, base.improvement) == ("SE", None, None)
    assert better.difference is not None
    assert better.difference.value == pytest.approx(-0.5, abs=0.15)
    assert better.difference.lo is not None
    assert better.difference.hi is not None
    assert better.difference.hi - better.difference.lo < 0.3  # the noise common to a seed has gone
    assert better.level.lo is not None
    assert better.level.lo < better.level.value
    assert better.improvement is not None
    wide = tasks().pivot(index=["task", "seed"], columns="variant", values="value")
    assert better.difference.value == pytest.approx(interquartile_mean(wide["max"] - wide["SE"]))
    assert aggregate(tasks(), "SE")[1] == better
    assert aggregate(tasks(), "SE", seed=1)[1] != better


def test_higher_is_better_turns_the_probability_round() -> None:
    [_, lower], [_, higher] = aggregate(tasks(), "SE"), aggregate(tasks(), "SE", lower_is_better=False)
    assert lower.improvement is not None
    assert higher.improvement is not None
    assert lower.improvement.value == pytest.approx(1 - higher.improvement.value)
    assert lower.improvement.lo == pytest.approx(1 - (higher.improvement.hi or 0))


def test_two_seeds_have_no_interval_and_missing_tasks_are_counted() -> None:
    data = tasks(2)
    data = data[(data["task"] == "easy") | (data["variant"] == "SE")]
    _, other = aggregate(data, "SE")
    assert (other.tasks, other.compared, other.seeds) == (1, 1, 2)
    assert (other.level.lo, other.level.hi) == (None, None)


def test_what_is_wrong_is_said() -> None:
    with pytest.raises(UserError, match="unknown variant 'SE-'; did you mean 'SE'"):
        aggregate(tasks(), "SE-")
    with pytest.raises(UserError, match="unknown column 'task'"):
        aggregate(tasks().drop(columns="task"), "SE")
    with pytest.raises(UserError, match="variant 'SE' of task 'easy' has seed 0 more than once"):
        aggregate(pd.concat([tasks(), tasks()]), "SE")
    with pytest.raises(UserError, match="at least one value, all of them finite"):
        interquartile_mean([np.nan])
    with pytest.raises(UserError, match="the same tasks, got 2 and 1"):
        probability_of_improvement([[1.0], [2.0]], [[1.0]])
