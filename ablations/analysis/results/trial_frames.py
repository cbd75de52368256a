"""The trials of a study and their epochs as data frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from ablations.planning.row import Row

if TYPE_CHECKING:
    from ablations.analysis.results.results import Results


def trials_frame(results: Results) -> pd.DataFrame:
    """Return one row for each row and seed that was asked for; see `Results.trials`."""
    rows = [_line(results, row, seed) for row in results.design.rows for seed in results.asked_seeds(row)]
    axes = [f"axis.{name}" for name in results.design.study.axes]
    recorded = results.design.study.experiment.recorded
    frame = pd.DataFrame(rows, columns=["row", "seed", "key", "status", *axes, *recorded])
    return frame.astype(dict.fromkeys(recorded, "float64"))


def history_frame(results: Results) -> pd.DataFrame:
    """Return one row for each epoch of each finished trial; see `Results.history`."""
    curves = results.design.study.experiment.curves
    rows = [
        (row, seed, step.number, *(step.values.get(name) for name in curves))
        for row, seed, key in results.trials[["row", "seed", "key"]].itertuples(index=False)
        if key in results.finished
        for step in results.finished[key].history
    ]
    frame = pd.DataFrame(rows, columns=["row", "seed", "epoch", *curves])
    return frame.astype(dict.fromkeys(curves, "float64"))


def _line(results: Results, row: Row, seed: int) -> list[Any]:
    key = results.key_of(row, seed)
    done = results.measured.get(key)
    status = "finished" if done is not None else "failed" if key in results.all_failed else "missing"
    result = None if done is None else done.result
    recorded = results.design.study.experiment.recorded
    measured = [None if result is None else result.value(name) for name in recorded]
    values = dict(row.values)
    return [row.label, seed, key, status, *(values[axis] for axis in results.design.study.axes), *measured]
