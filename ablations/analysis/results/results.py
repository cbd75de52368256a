"""A study's record as a data frame: one row for each cell and seed, whether it was trained or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from ablations.analysis.results.interims import Plan, read_plans, schedule_of, seed_order
from ablations.analysis.results.race import Race, play
from ablations.analysis.results.selection import Choice, choices_of, settled
from ablations.analysis.stats.schedule import InterimSchedule
from ablations.planning.design import Design
from ablations.planning.row import Cell
from ablations.running.record.set_aside import ended_keys
from ablations.running.record.trial_file import Record
from ablations.running.record.trial_record import TrialRecord

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
        trials: one row for each cell and seed that was asked for (a race asks as it goes): `cell`, `seed`, `key`,
            `status` ("finished", "failed" or "missing"), `axis.NAME` for each axis, and METRICS (NaN where there is
            no result).
        finished: records with a result, by key; only trials of this design.
        failed: records of failed trials that have no result, by key.
        plans: under which the study was looked at before.
        race: how far it is, for `design: race`.
        choices: how far they are, for `design: tuned` and `design: search`.
        fixed: a tuned study's rows with the study's own recipe, where it trains them.
    """

    design: Design
    trials: pd.DataFrame
    finished: Mapping[str, TrialRecord]
    failed: Mapping[str, TrialRecord]
    plans: tuple[Plan, ...] = ()
    race: Race | None = None
    choices: tuple[Choice, ...] = ()
    fixed: Results | None = None

    @property
    def schedule(self) -> InterimSchedule | None:
        """At which numbers of seeds the comparisons are tested; None where there is one look only."""
        return schedule_of(self.design, self.plans)

    @property
    def planned(self) -> int:
        """Trials that were asked for so far."""
        return len(self.trials)

    @property
    def unfinished(self) -> bool:
        """Whether a trial that was asked for has no result yet, or a race still runs."""
        racing = self.race is not None and bool(self.race.trials)
        return racing or len(self.finished) < len(self.trials["key"].unique())

    def asked(self, cell: Cell) -> int:
        """Give the number of seeds that a cell was to be trained with so far."""
        return len(self.design.seeds) if self.race is None else self.race.asked(cell.label)

    def values(self, metric: str, cells: Sequence[Cell] | None = None) -> pd.DataFrame:
        """Give one metric as (variant, seed, value, ended), for `ablations.analysis.stats.compare`.

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
        return chosen[list(columns)].rename(columns=columns).assign(ended=chosen["status"] != "missing")

    def of_cell(self, cell: Cell) -> tuple[TrialRecord, ...]:
        """Give the finished records of a cell, by seed."""
        keys = self.trials.loc[self.trials["cell"] == cell.label, "key"]
        return tuple(self.finished[key] for key in keys if key in self.finished)


def collect(design: Design, record: Record) -> Results:
    """Bring a design and its record together; a study that chooses gets the rows that it has come to.

    Args:
        design: the trials that belong to the study; lines of other trials are passed over.
        record: what was measured.
    """
    design = settled(design, record)
    choices, fixed = _choices(design, record)
    all_finished, all_failed = record.finished, record.failed
    plans = read_plans(record.path.parent)
    race = play(design, record, ended_keys(design, record)) if design.study.design == "race" else None
    seeds = {cell.label: _seeds(design, cell, race, plans) for cell in design.cells}
    rows = [
        _row(
            cell,
            cell.trial(seed).key if cell.label not in design.undecided else "",
            seed,
            all_finished,
            all_failed,
        )
        for cell in design.cells
        for seed in seeds[cell.label]
    ]
    axes = [f"axis.{name}" for name in design.study.axes]
    trials = pd.DataFrame(rows, columns=["cell", "seed", "key", "status", *axes, *METRICS])
    trials = trials.astype(dict.fromkeys(METRICS, "float64"))
    keys = list(dict.fromkeys(trials["key"]))
    finished = {key: all_finished[key] for key in keys if key in all_finished}
    failed = {key: all_failed[key] for key in keys if key in all_failed and key not in finished}
    return Results(design, trials, finished, failed, plans, race, choices, fixed)


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


def _choices(design: Design, record: Record) -> tuple[tuple[Choice, ...], Results | None]:
    """Read the choices of a study, and a tuned study's rows with its own recipe."""
    study = design.study
    if study.tune is None and study.search is None:
        return (), None
    if design.untouched is None:  # the rows with the study's own recipe themselves
        return (), None
    choices = choices_of(design.untouched, record)
    compares = study.tune is not None and study.tune.compare_fixed
    return choices, collect(replace(design.untouched, settled=True), record) if compares else None


def _seeds(design: Design, cell: Cell, race: Race | None, plans: tuple[Plan, ...]) -> Sequence[int]:
    return design.seeds if race is None else seed_order(design, plans)[: race.asked(cell.label)]


def _row(
    cell: Cell, key: str, seed: int, finished: Mapping[str, TrialRecord], failed: Mapping[str, TrialRecord]
) -> list[Any]:
    done = finished.get(key)
    status = "finished" if done is not None else "failed" if key in failed else "missing"
    result = None if done is None else done.result
    measured = [None if result is None else getattr(result, name) for name in METRICS]
    axes = [text for _, text in cell.values]
    return [cell.label, seed, key, status, *axes, *measured]
