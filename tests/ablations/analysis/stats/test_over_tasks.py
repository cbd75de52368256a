"""Variants on several tasks: how many are named, in which direction, and that few too many are."""

from __future__ import annotations

import numpy as np
import pandas as pd

import ablations as ab
from ablations.analysis.stats.tasks.over_tasks import over_tasks

TASKS = ("a", "b", "c")


def runs(effects: dict[str, tuple[float, ...]], seeds: int = 8, seed: int = 0) -> pd.DataFrame:
    """Runs of a baseline and variants whose effects differ by task."""
    noise = np.random.default_rng(seed)
    rows = []
    for place, task in enumerate(TASKS):
        for name, by_task in {"base": (0.0,) * len(TASKS), **effects}.items():
            rows += [(task, name, s, 50 + by_task[place] + noise.normal(0, 0.3)) for s in range(seeds)]
    return pd.DataFrame(rows, columns=["task", "variant", "seed", "value"])


def test_a_variant_is_named_on_as_many_tasks_as_it_is_shown_on() -> None:
    frame = runs({"all": (-3.0, -3.0, -3.0), "two": (-3.0, -3.0, 0.0), "mixed": (3.0, -3.0, 0.0)})
    found = {one.variant: one for one in over_tasks(frame, "base")}
    assert {name: (one.better_on, one.worse_on, one.tasks) for name, one in found.items()} == {
        "all": (3, 0, 3),
        "two": (2, 0, 3),
        "mixed": (1, 1, 3),
    }
    other_way = over_tasks(frame, "base", lower_is_better=False)
    assert [(one.better_on, one.worse_on) for one in other_way] == [(0, 3), (0, 2), (1, 1)]
    spread = found["mixed"].spread
    assert spread is not None
    assert spread.between_tasks > 2 > spread.between_seeds


def test_equal_variants_are_hardly_ever_named() -> None:
    named = 0
    for seed in range(200):
        found = over_tasks(runs({"x": (0.0,) * 3, "y": (0.0,) * 3}, seed=seed), "base")
        named += any(one.better_on or one.worse_on for one in found)
    assert named / 200 <= 0.05 + 3 * (0.05 * 0.95 / 200) ** 0.5


def test_a_task_that_lacks_a_variant_is_left_out_and_one_task_says_nothing_of_others() -> None:
    frame = runs({"x": (-3.0,) * 3})
    [one] = over_tasks(frame[(frame["variant"] == "base") | (frame["task"] == "a")], "base")
    assert (one.tasks, one.better_on, one.spread) == (1, 1, None)


def test_a_file_of_several_tasks_has_the_table_and_its_comparisons_are_corrected_together() -> None:
    results = ab.Results.from_frame(runs({"x": (-3.0, -3.0, 0.0)}), baseline="base", margin=0.2)
    assert [one.better_on for one in results.over_tasks] == [2]
    every = [c for family in results.families for c in family.comparisons.values()]
    assert {(c.members, c.correction) for c in every} == {(3, "max-T")}
    assert "On how many tasks" in results._repr_html_()
    assert "2 of 3" in results._repr_html_()
