"""Cost of a sweep: the times of its trials added up, and the time that its workers take for them."""

from __future__ import annotations

import hashlib
import heapq
import json
from collections.abc import Iterable, Mapping
from typing import Any

from ablations.planning.design import Design
from ablations.running.record.forecasts import RowForecast, SweepCost


def settings_key(trial: Mapping[str, Any]) -> str:
    """Name what a trial is, but for its seed: 16 hexadecimal digits.

    Args:
        trial: its canonical JSON.
    """
    settings = {name: value for name, value in trial.items() if name != "seed"}
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]


def makespan(durations: Iterable[float], workers: int) -> float:
    """Return how long `workers` take for trials that are handed out in this order, each to whoever is free first."""
    free = [0.0] * workers
    for duration in durations:
        heapq.heapreplace(free, free[0] + duration)
    return max(free)


def sweep_cost(rows: Iterable[RowForecast], workers: int, start_seconds: float) -> SweepCost:
    """Add up trials that are trained in this order.

    Args:
        rows: the row of each trial.
        workers: trials at a time.
        start_seconds: until a worker has begun.
    """
    chosen = tuple(rows)
    if not chosen:
        return SweepCost(0, 0.0, 0.0, 0.0, 0.0)
    wall, low, high = (
        start_seconds + makespan((getattr(row, name) + row.rest for row in chosen), workers)
        for name in ("seconds", "low", "high")
    )
    return SweepCost(len(chosen), sum(row.seconds for row in chosen), wall, low, high)


def rows_of_trials(
    design: Design, rows: Mapping[str, RowForecast], seeds: int, without: frozenset[str] = frozenset()
) -> list[RowForecast]:
    """Return the row of each trial of so many seeds, in the order of training.

    Args:
        design: the study.
        rows: by label; trials of rows that are not in it are left out.
        seeds: a row; may be more than the design has.
        without: keys of trials that are left out.
    """
    known = design.seeds
    return [
        rows[row.label]
        for place in range(seeds)
        for row in design.rows
        if row.label in rows and not (place < len(known) and row.key(known[place]) in without)
    ]
