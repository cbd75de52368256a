"""Over several tasks: interquartile means and the probability of improvement."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ablations.analysis.stats.tasks.aggregates import aggregate
from senet_core.errors import UserError

NUMBERS = st.integers(-99, 99)
VALUES = st.lists(NUMBERS, min_size=1, max_size=20)
PAIRS = st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=20)


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


def one_task(**columns: list[int]) -> pd.DataFrame:
    rows = [("t", v, seed, float(x)) for v, values in columns.items() for seed, x in enumerate(values)]
    return pd.DataFrame(rows, columns=["task", "variant", "seed", "value"])


@given(VALUES)
def test_the_interquartile_mean_is_scipys_trimmed_mean(values: list[int]) -> None:
    [found] = aggregate(one_task(a=values), "a", resamples=2)
    assert found.level.value == pytest.approx(stats.trim_mean(values, 0.25), abs=1e-9)


@given(PAIRS)
def test_the_probability_of_improvement_is_mann_and_whitneys(pairs: list[tuple[int, int]]) -> None:
    x, y = ([pair[place] for pair in pairs] for place in (0, 1))
    u = stats.mannwhitneyu(y, x).statistic / len(pairs) ** 2
    for lower_is_better, expected in ((True, u), (False, 1 - u)):
        [found, _] = aggregate(one_task(x=x, y=y), "y", lower_is_better=lower_is_better, resamples=2)
        assert found.improvement is not None
        assert found.improvement.value == pytest.approx(expected, abs=1e-9)


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
    assert better.difference.value == pytest.approx(stats.trim_mean(wide["max"] - wide["SE"], 0.25))
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
