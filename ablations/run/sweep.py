"""The sweep: trains every trial of a study that is not yet recorded.

The record is written first and decides what is done; MLflow is told afterwards. A trial goes from `waiting` to an
executor under a lease, says its progress through a file, and ends as one line of the record, finished or failed.
Several sweeps may work on one study, on one machine or over a shared folder.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import replace
from typing import TYPE_CHECKING

from ablations.plan.design import Design
from ablations.run.dispatch import Dispatch
from ablations.run.leases import Leases
from ablations.run.notebook import fill_in
from ablations.run.order import longest_first
from ablations.run.places import Places
from ablations.run.record import Record, TrialRecord, find_shared
from ablations.run.signals import stopped_by_signal
from ablations.run.sweep_values import Display, Settings, SweepOutcome
from senet_core.errors import UserError

if TYPE_CHECKING:
    from ablations.run.tracking import Tracker


def sweep(
    design: Design,
    places: Places,
    settings: Settings,
    *,
    make_executor: Callable[[], Executor],
    display: Display,
    open_tracker: Callable[[], Tracker | None] = lambda: None,
) -> SweepOutcome:
    """Train what is missing of a study.

    Args:
        design: the study, unfolded.
        places: its folders.
        settings: how.
        make_executor: called once, when there is something to train.
        display: who shows the sweep.
        open_tracker: opens the study's MLflow experiment before any worker starts; None for no tracking.

    Raises:
        UserError: the folder cannot be written, the record is corrupt, or it was made with other data.
    """
    places.make_writable()
    with stopped_by_signal() as stop:
        leases = Leases(places.leases)
        if settings.fresh:
            _set_record_aside(places, leases)
        record = places.load_record()
        _same_data(record, design, places, settings.digest)
        record.set_torn_aside()
        _clear_away(places, leases, record)
        trials = {trial.key: trial for trial in design.trials}
        missing = [key for key in trials if key not in record.finished]
        shared: list[TrialRecord] = []
        if missing and not settings.fresh:
            shared = find_shared(missing, places.results_dir, places.study, settings.digest)
            record.append(*shared, unless_finished=True)
        waiting = [trials[key] for key in missing if key not in record.finished]
        if settings.only is not None:
            waiting = [trial for trial in waiting if trial.key in settings.only]
        display.begin(len(trials), len(trials) - len(waiting), len(shared))
        tracker = open_tracker()
        outcome = SweepOutcome(record, 0, 0, 0, None)
        if waiting:
            job = Dispatch(design, places, settings, record, leases, display, tracker)
            waiting = longest_first(waiting, lambda trial: job.cells[trial.key], workers=settings.workers)
            outcome = job.run(waiting, make_executor(), stop)
        if tracker is not None and outcome.stopped_by is None:
            fill_in(tracker, design, places, settings.command, stop.is_set)
        return replace(outcome, stopped_by=stop.signal) if stop.is_set() else outcome


def _clear_away(places: Places, leases: Leases, record: Record) -> None:
    """Remove what killed sweeps have left: their leases, and the files of trials that are finished."""
    leases.clear_dead()
    held = set(leases.held())
    for key in record.finished.keys() - held:
        (places.running / f"{key}.jsonl").unlink(missing_ok=True)
        if (places.checkpoints / key).exists():
            shutil.rmtree(places.checkpoints / key, ignore_errors=True)


def _set_record_aside(places: Places, leases: Leases) -> None:
    for key in leases.held():
        if not leases.is_stale(key):
            raise UserError(
                f"study {places.study!r} is being trained by {leases.holder(key)}; stop it before --fresh"
            )
    places.set_record_aside()
    shutil.rmtree(places.checkpoints, ignore_errors=True)


def _same_data(record: Record, design: Design, places: Places, digest: str) -> None:
    """Refuse to mix results of different data under one name."""
    data = design.study.baseline.data
    for line in record.finished.values():
        known = line.trial["data"]
        same_name = (known["name"], known["path"], known["size"]) == (data.name, data.path, data.size)
        if same_name and line.data_digest != digest:
            raise UserError(
                f"{places.record} was recorded with other data (digest {line.data_digest[:12]}, now {digest[:12]});"
                " use --fresh to start the study anew, or --results-dir for another place"
            )
