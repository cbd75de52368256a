"""One variant on several tasks (data sets, networks): on how many a difference is shown, and where it varies.

"Shown on at least u of m tasks" is the claim that at most u - 1 of the m differences are absent or of the other sign.
With the one-sided p of each task in rising order, p_(1) to p_(m), its p is

    p_(u/m) = (m - u + 1) p_(u), not below that of u - 1

which are Holm's corrected p in rising order, and hold whatever the tasks share (seeds, code, machine). The largest u
whose p is at most alpha may be read off without further correction, for the claims are nested.

How a difference d_ts of task t and seed s varies is estimated from d_ts = mean + task_t + seed_s + rest_ts by the mean
squares of that table (T tasks, S seeds): (MS_T - MS_E) / S between tasks, (MS_S - MS_E) / T between seeds, MS_E the
rest. The interval of the mean is over new tasks and new seeds, as for seeds and images in `outcomes.crossed`.

Source: Benjamini and Heller 2008, "Screening for partial conjunction hypotheses", Biometrics 64, theorem 1 with
Bonferroni's method; Searle, Casella and McCulloch 1992, "Variance Components", chapter 4.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ablations.analysis.stats.crossed_error import MeanSquares, error_of_mean
from ablations.analysis.stats.holm import holm
from senet_core.errors import UserError


@dataclass(frozen=True)
class TaskSpread:
    """A difference over tasks and seeds: its mean for new tasks and new seeds, and where it varies.

    Attributes:
        mean: of the differences.
        se: standard error over new tasks and new seeds.
        lo: lower end of the interval; None where nothing varies.
        hi: upper end.
        tasks: how many.
        seeds: that all tasks have.
        left_out: seeds that some tasks have and others lack.
        between_tasks: standard deviation of the true difference between tasks.
        between_seeds: of what seeds add on all tasks alike.
        rest: of what they add on each task for itself.
    """

    mean: float
    se: float
    lo: float | None
    hi: float | None
    tasks: int
    seeds: int
    left_out: int
    between_tasks: float
    between_seeds: float
    rest: float


def partial_conjunction(p_values: Sequence[float | None]) -> tuple[float, ...]:
    """Return the p of "shown on at least u of m tasks", for u from 1 to m.

    Args:
        p_values: one-sided p of each task, all for the same direction, see `one_sided`; None where a task has no test,
            which counts as one where nothing is shown.
    """
    corrected = holm([1.0 if p is None else p for p in p_values])
    return tuple(sorted(p for p in corrected if p is not None))


def shown_on(p_values: Sequence[float | None], alpha: float = 0.05) -> int:
    """Return on how many tasks at least a difference is shown: the largest u whose p is at most alpha, or 0.

    Args:
        p_values: as for `partial_conjunction`.
        alpha: chance of naming too many.
    """
    return sum(p <= alpha for p in partial_conjunction(p_values))


def one_sided(p: float | None, difference: float | None, *, lower: bool) -> float | None:
    """Return the one-sided p of a two-sided one.

    Args:
        p: two-sided; None where there is no test.
        difference: that was tested.
        lower: whether the claim is that the difference lies below zero.
    """
    if p is None or difference is None:
        return None
    return p / 2 if (difference < 0) == lower and difference != 0 else 1 - p / 2


def spread_over_tasks(differences: ArrayLike, *, confidence: float = 0.95) -> TaskSpread | None:
    """Return how a paired difference varies between tasks and seeds.

    Args:
        differences: (tasks, seeds), any units, one sign for better on all tasks; NaN where a pair is missing.
        confidence: of the interval, between 0 and 1.

    Returns:
        None below two tasks, or two seeds that all tasks have.

    Raises:
        UserError: `differences` is no table or `confidence` not between 0 and 1.
    """
    table = np.asarray(differences, dtype=np.float64)
    if table.ndim != 2:
        raise UserError(f"differences must have the shape (tasks, seeds), got {table.shape}")
    if not 0 < confidence < 1:
        raise UserError(f"confidence must be between 0 and 1, got {confidence!r}")
    finite = np.isfinite(table)
    d = table[:, finite.all(axis=0)]
    tasks, seeds = d.shape
    if tasks < 2 or seeds < 2:
        return None
    mean = float(d.mean())
    of_task, of_seed = d.mean(axis=1, keepdims=True) - mean, d.mean(axis=0, keepdims=True) - mean
    ms = MeanSquares(
        seeds * float((of_task**2).sum()) / (tasks - 1),
        tasks * float((of_seed**2).sum()) / (seeds - 1),
        float(((d - mean - of_task - of_seed) ** 2).sum()) / ((tasks - 1) * (seeds - 1)),
    )
    error = error_of_mean(ms, tasks, seeds)
    varies = error.se > 1e-12 * float(np.abs(d).max())
    half = error.half_width(confidence) if varies else None
    return TaskSpread(
        mean=mean, se=error.se, lo=None if half is None else mean - half, hi=None if half is None else mean + half,
        tasks=tasks, seeds=seeds, left_out=int(finite.any(axis=0).sum()) - seeds,
        between_tasks=math.sqrt(max(0.0, ms[0] - ms[2]) / seeds),
        between_seeds=math.sqrt(max(0.0, ms[1] - ms[2]) / tasks), rest=math.sqrt(ms[2]),
    )  # fmt: skip
