"""Over several tasks (data sets, backbones): interquartile means and the probability of improvement.

Source: Agarwal, Schwarzer, Castro, Courville and Bellemare 2021, "Deep reinforcement learning at the edge of the
statistical precipice", arXiv:2108.13264 (rliable). We depart from it in three points: a variant and the baseline are
resampled together, seed by seed, because they share their seeds; the interquartile mean of the paired differences is
given beside that of the values, because errors of different tasks have different levels; and the random numbers come
from `seed`, so that the same values have the same interval.

The intervals are percentile intervals of a bootstrap stratified by task. They take the tasks as given (nothing is said
of other tasks) and are too narrow with few seeds in few tasks, see `docs/statistics.md`: they describe, and no verdict
rests on them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ablations.analysis.stats.seed_table import by_seed, check_columns
from senet_core.errors import unknown

if TYPE_CHECKING:
    import pandas as pd

FEWEST_SEEDS = 3
"""With fewer seeds in a task there is no interval."""

_Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Bootstrapped:
    """A figure over all tasks with its bootstrap interval; the ends are None with fewer than 3 seeds in a task."""

    value: float
    lo: float | None
    hi: float | None


@dataclass(frozen=True)
class Aggregate:
    """One variant over all tasks.

    Attributes:
        variant: its name.
        tasks: tasks in which it has a value.
        compared: tasks in which it shares a seed with the baseline.
        seeds: fewest seeds that it has in one of its tasks.
        level: interquartile mean of the values over tasks and seeds.
        difference: interquartile mean of the paired differences to the baseline; None for the baseline and where no
            task is shared.
        improvement: probability that a run of the variant is better than a run of the baseline, mean over tasks;
            None as for `difference`.
    """

    variant: str
    tasks: int
    compared: int
    seeds: int
    level: Bootstrapped
    difference: Bootstrapped | None
    improvement: Bootstrapped | None


def aggregate(
    frame: pd.DataFrame,
    baseline: str,
    *,
    lower_is_better: bool = True,
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> tuple[Aggregate, ...]:
    """Return every variant's figures over all tasks, and its comparison with the baseline.

    Args:
        frame: columns `task`, `variant`, `seed`, `value`; one row for each trial. What is not finite is missing.
        baseline: the variant that the others are compared with.
        lower_is_better: True for errors and losses.
        confidence: of the intervals, between 0 and 1.
        resamples: of the bootstrap.
        seed: of the bootstrap.

    Raises:
        UserError: a column is missing, a (task, variant, seed) comes twice, or the baseline is not in the frame.
    """
    check_columns(frame, "task", "variant", "seed", "value")
    names = [str(name) for name in frame["variant"].unique()]
    if baseline not in names:
        raise unknown("variant", baseline, names)
    tasks = [
        by_seed(part, task=task).reindex(columns=names) for task, part in frame.groupby("task", sort=False)
    ]
    resampler = Resampler(resamples, seed, confidence)
    found = []
    for name in names:
        own = [_finite(table[name].to_numpy(np.float64)) for table in tasks]
        own = [values for values in own if values.size]
        if not own:
            continue
        pairs = [_common(table, name, baseline) for table in tasks] if name != baseline else []
        pairs = [pair for pair in pairs if pair[0].size]
        level = resampler.iqm(own)
        difference = resampler.iqm([x - y for x, y in pairs]) if pairs else None
        improvement = resampler.improvement(pairs, lower_is_better) if pairs else None
        fewest = min(values.size for values in own)
        found.append(Aggregate(name, len(own), len(pairs), fewest, level, difference, improvement))
    return tuple(found)


class Resampler:
    """Draws seeds with replacement within each task, alike for every quantity and in every call."""

    def __init__(self, resamples: int, seed: int, confidence: float) -> None:
        self._resamples, self._seed = resamples, seed
        self._ends = ((1 - confidence) / 2, (1 + confidence) / 2)

    def iqm(self, tasks: Sequence[_Floats]) -> Bootstrapped:
        """Return the interquartile mean over tasks, one array of values each."""
        value = float(_iqm(np.concatenate(tasks)[None, :])[0])
        generator = np.random.default_rng(self._seed)
        drawn = [x[generator.integers(0, x.size, (self._resamples, x.size))] for x in tasks]
        return self._interval(value, _iqm(np.concatenate(drawn, axis=1)), tasks)

    def improvement(self, pairs: Sequence[tuple[_Floats, _Floats]], lower_is_better: bool) -> Bootstrapped:
        """Return the probability that a run of the variant is better than a run of the baseline, mean over tasks.

        Within a task it is the share of all pairs of runs, a tie half (Mann and Whitney's U over its maximum).

        Args:
            pairs: values of the variant and of the baseline, for each task.
            lower_is_better: True for errors and losses.
        """
        generator = np.random.default_rng(self._seed)
        total = np.zeros(self._resamples)
        for x, y in pairs:
            often = generator.multinomial(x.size, np.full(x.size, 1 / x.size), self._resamples).astype(float)
            total += np.einsum("bi,bi->b", often @ _wins(x, y), often) / x.size**2
        value = float(np.mean([_wins(x, y).mean() for x, y in pairs]))
        lower = self._interval(value, total / len(pairs), [x for x, _ in pairs])
        if lower_is_better:
            return lower
        flipped = (None, None) if lower.lo is None or lower.hi is None else (1 - lower.hi, 1 - lower.lo)
        return Bootstrapped(1 - value, *flipped)

    def _interval(self, value: float, drawn: _Floats, tasks: Sequence[_Floats]) -> Bootstrapped:
        if min(task.size for task in tasks) < FEWEST_SEEDS:
            return Bootstrapped(value, None, None)
        lo, hi = np.quantile(drawn, self._ends)
        return Bootstrapped(value, float(lo), float(hi))


def _iqm(rows: _Floats) -> _Floats:
    """Mean of the middle half of each row, a quarter, rounded down, left out at each end: (rows, values) to (rows,)."""
    cut = rows.shape[1] // 4
    middle: _Floats = np.sort(rows, axis=1)[:, cut : rows.shape[1] - cut]
    return np.asarray(middle.mean(axis=1))


def _wins(x: _Floats, y: _Floats) -> _Floats:
    """Where x is below y, a tie half: (x, y)."""
    return np.asarray((x[:, None] < y[None, :]) + 0.5 * (x[:, None] == y[None, :]), dtype=np.float64)


def _finite(values: _Floats) -> _Floats:
    return values[np.isfinite(values)]


def _common(table: pd.DataFrame, variant: str, baseline: str) -> tuple[_Floats, _Floats]:
    x, y = table[variant].to_numpy(np.float64), table[baseline].to_numpy(np.float64)
    both = np.isfinite(x) & np.isfinite(y)
    return x[both], y[both]
