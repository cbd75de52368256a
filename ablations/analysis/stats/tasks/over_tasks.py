"""Variants on several tasks: on how many each is shown to be better or worse, and how its difference varies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ablations.analysis.stats.paired import paired_difference
from ablations.analysis.stats.seed_table import by_seed
from ablations.analysis.stats.tasks.partial_conjunction import (
    TaskSpread,
    one_sided,
    shown_on,
    spread_over_tasks,
)

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class OverTasks:
    """One variant against the baseline on several tasks.

    Attributes:
        variant: its name.
        tasks: on which it was compared with the baseline.
        better_on: it is better on at least so many of them.
        worse_on: it is worse on at least so many.
        spread: of its difference, over new tasks and new seeds; None below two tasks, or two seeds that all tasks have.
    """

    variant: str
    tasks: int
    better_on: int
    worse_on: int
    spread: TaskSpread | None


def over_tasks(
    frame: pd.DataFrame, baseline: str, *, lower_is_better: bool = True, alpha: float = 0.05
) -> tuple[OverTasks, ...]:
    """Compare variants with the baseline on each task, and count on how many of them a difference is shown.

    The level is divided by the number of variants and of directions, so that the chance of naming too many tasks for
    any variant is at most `alpha`.

    Args:
        frame: columns `task`, `variant`, `seed`, `value`; one row for each run.
        baseline: the variant that the others are compared with, task by task and seed by seed.
        lower_is_better: True for errors and losses.
        alpha: chance of naming too many tasks for any variant.
    """
    tables = [by_seed(rows) for _, rows in frame.groupby("task", sort=False)]
    names = [str(name) for name in frame["variant"].unique() if name != baseline]
    seeds = sorted({seed for table in tables for seed in table.index})
    level = alpha / max(1, 2 * len(names))
    found = []
    for name in names:
        both = [table for table in tables if name in table and baseline in table]
        differences = [(table[name] - table[baseline]).reindex(seeds).to_numpy(np.float64) for table in both]
        tested = [paired_difference(d, np.zeros(len(seeds))) for d in differences]
        better_on, worse_on = (
            shown_on([one_sided(d.p, d.mean, lower=lower) for d in tested], level) if tested else 0
            for lower in (lower_is_better, not lower_is_better)
        )
        spread = spread_over_tasks(np.array(differences)) if len(differences) > 1 else None
        found.append(OverTasks(name, len(both), better_on, worse_on, spread))
    return tuple(found)
