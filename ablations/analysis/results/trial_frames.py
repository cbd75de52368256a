"""The trials of a study and their epochs as data frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from ablations.planning.row import Row

if TYPE_CHECKING:
    from ablations.analysis.results.results import Results

METRICS = (
    "top1_error", "top5_error", "test_loss", "train_loss", "train_error", "parameters", "multiply_adds",
    "train_seconds", "test_seconds", "peak_memory_mib",
)  # fmt: skip
"""Columns of numbers: errors in per cent, counts for one image, seconds, MiB."""

CURVES = ("train_loss", "train_error", "lr", "seconds")
"""Columns of numbers that each epoch has."""


def trials_frame(results: Results) -> pd.DataFrame:
    """Return one row for each row and seed that was asked for; see `Results.trials`."""
    rows = [_line(results, row, seed) for row in results.design.rows for seed in results.asked_seeds(row)]
    axes = [f"axis.{name}" for name in results.design.study.axes]
    frame = pd.DataFrame(rows, columns=["row", "seed", "key", "status", *axes, *METRICS])
    return frame.astype(dict.fromkeys(METRICS, "float64"))


def history_frame(results: Results) -> pd.DataFrame:
    """Return one row for each epoch of each finished trial; see `Results.history`."""
    rows = [
        (row, seed, epoch.epoch, *(getattr(epoch, name) for name in CURVES))
        for row, seed, key in results.trials[["row", "seed", "key"]].itertuples(index=False)
        if key in results.finished
        for epoch in results.finished[key].history
    ]
    frame = pd.DataFrame(rows, columns=["row", "seed", "epoch", *CURVES])
    return frame.astype(dict.fromkeys(CURVES, "float64"))


def _line(results: Results, row: Row, seed: int) -> list[Any]:
    key = results.key_of(row, seed)
    done = results.measured.get(key)
    status = "finished" if done is not None else "failed" if key in results.all_failed else "missing"
    result = None if done is None else done.result
    measured = [None if result is None else getattr(result, name) for name in METRICS]
    return [row.label, seed, key, status, *(text for _, text in row.values), *measured]
