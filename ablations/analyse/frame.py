"""A study's record as a data frame: one row for each cell and seed, whether it was trained or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from ablations.plan.design import Cell, Design
from ablations.run.record import Record
from ablations.run.record_line import TrialRecord

METRICS = (
    "top1_error", "top5_error", "test_loss", "train_loss", "train_error", "parameters", "multiply_adds",
    "train_seconds", "test_seconds", "peak_memory_mib",
)  # fmt: skip
"""Columns of numbers: errors in per cent, counts for one image, seconds, MiB."""

CURVES = ("train_loss", "train_error", "lr", "seconds")
"""What each epoch records."""


@dataclass(frozen=True)
class Results:
    """What is known of a study.

    Attributes:
        design: its cells and seeds.
        trials: one row for each cell and seed: `cell`, `seed`, `key`, `status` ("finished", "failed" or
            "missing"), `axis.NAME` for each axis, and METRICS (NaN where there is no result).
        finished: records with a result, by key; only trials of this design.
        failed: records of failed trials that have no result, by key.
    """

    design: Design
    trials: pd.DataFrame
    finished: Mapping[str, TrialRecord]
    failed: Mapping[str, TrialRecord]

    def values(self, metric: str, cells: Sequence[Cell] | None = None) -> pd.DataFrame:
        """Give one metric as (variant, seed, value), for `ablations.analyse.statistics`.

        Args:
            metric: one of METRICS.
            cells: these alone, in this order; all if None.
        """
        chosen = self.trials
        if cells is not None:
            labels = [cell.label for cell in cells]
            order = chosen["cell"].map({label: place for place, label in enumerate(labels)})
            chosen = chosen[order.notna()].assign(_order=order).sort_values("_order", kind="stable")
        columns = {"cell": "variant", "seed": "seed", metric: "value"}
        return chosen[list(columns)].rename(columns=columns)

    def of_cell(self, cell: Cell) -> tuple[TrialRecord, ...]:
        """Give the finished records of a cell, by seed."""
        keys = self.trials.loc[self.trials["cell"] == cell.label, "key"]
        return tuple(self.finished[key] for key in keys if key in self.finished)


def collect(design: Design, record: Record) -> Results:
    """Bring a design and its record together.

    Args:
        design: the trials that belong to the study; lines of other trials are passed over.
        record: what was measured.
    """
    all_finished, all_failed = record.finished, record.failed
    rows = [_row(cell, seed, all_finished, all_failed) for cell in design.cells for seed in design.seeds]
    axes = [f"axis.{name}" for name in design.study.axes]
    trials = pd.DataFrame(rows, columns=["cell", "seed", "key", "status", *axes, *METRICS])
    trials = trials.astype(dict.fromkeys(METRICS, "float64"))
    keys = list(dict.fromkeys(trials["key"]))
    finished = {key: all_finished[key] for key in keys if key in all_finished}
    failed = {key: all_failed[key] for key in keys if key in all_failed and key not in finished}
    return Results(design, trials, finished, failed)


def trial_frame(design: Design, record: Record) -> pd.DataFrame:
    """Give one row for each cell and seed; see `Results.trials`."""
    return collect(design, record).trials


def history_frame(results: Results) -> pd.DataFrame:
    """Give one row for each cell, seed and epoch: `cell`, `seed`, `epoch`, and CURVES where recorded."""
    rows = [
        (cell, seed, epoch.epoch, *(getattr(epoch, name) for name in CURVES))
        for cell, seed, key in results.trials[["cell", "seed", "key"]].itertuples(index=False)
        if key in results.finished
        for epoch in results.finished[key].history
    ]
    frame = pd.DataFrame(rows, columns=["cell", "seed", "epoch", *CURVES])
    return frame.astype(dict.fromkeys(CURVES, "float64"))


def _row(
    cell: Cell, seed: int, finished: Mapping[str, TrialRecord], failed: Mapping[str, TrialRecord]
) -> list[Any]:
    key = cell.trial(seed).key
    done = finished.get(key)
    status = "finished" if done is not None else "failed" if key in failed else "missing"
    result = None if done is None else done.result
    measured = [None if result is None else getattr(result, name) for name in METRICS]
    axes = [text for _, text in cell.values]
    return [cell.label, seed, key, status, *axes, *measured]
