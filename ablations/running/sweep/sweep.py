"""The sweep: trains every trial of a study that is not yet recorded.

The record is written first and decides what is done; MLflow is told afterwards. A trial goes from `waiting` to an
executor under a lease, says its progress through a file, and ends as one line of the record, finished or failed.
Several sweeps may work on one study, on one machine or over a shared folder.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from ablations.errors import RecordError
from ablations.planning.design import Design
from ablations.running.machine.signals import stopped_by_signal
from ablations.running.mlflow.background_writer import fill_in, remove_superseded
from ablations.running.record.image_labels import keep_labels
from ablations.running.record.last_plan import LastPlan, read_last_plan, write_last_plan
from ablations.running.record.leases import Leases
from ablations.running.record.other_studies import OtherStudies
from ablations.running.record.study_paths import StudyPaths
from ablations.running.record.study_record import StudyRecord
from ablations.running.record.trial_file import TrialFile
from ablations.running.sweep.dispatch import Dispatch
from ablations.running.sweep.rounds import Rounds
from ablations.running.sweep.values import (
    Display,
    PlannedTrials,
    Settings,
    SweepContext,
    SweepOutcome,
    TrialSource,
)
from ablations.running.trials.inputs import Inputs
from ablations.running.trials.runner import runner_of

if TYPE_CHECKING:
    from ablations.running.mlflow.tracker import Tracker
    from ablations.running.search.proposer import Proposer


def sweep(
    design: Design,
    paths: StudyPaths,
    settings: Settings,
    *,
    make_executor: Callable[[], Executor],
    display: Display,
    open_tracker: Callable[[], Tracker | None] = lambda: None,
    record: StudyRecord | None = None,
    source: TrialSource | None = None,
) -> SweepOutcome:
    """Train what is missing of a study.

    Args:
        design: the study, unfolded.
        paths: its folders.
        settings: how.
        make_executor: called once, when there is something to train.
        display: who shows the sweep.
        open_tracker: opens the study's MLflow experiment before any worker starts; None for no tracking.
        record: the study's, where it was read already.
        source: says what is to be trained, of this record; all of the design's trials in one round if not given.

    Raises:
        RecordError: the record is corrupt, in use, or was made with other data.
        UserError: the folder cannot be written.
    """
    paths.make_writable()
    record = paths.open_record() if record is None else record
    source = PlannedTrials(design) if source is None else source
    with stopped_by_signal() as stop, ExitStack() as at_the_end:
        leases = Leases(paths.leases)
        if settings.fresh:
            _set_record_aside(paths, leases)
        record.refresh()
        _same_data(record.trials, design, paths, settings.inputs)
        if settings.plan is not None:
            _note_plan(paths, settings.plan, display)
        record.trials.set_torn_aside()
        _clear_away(paths, leases, record.trials)
        others = None if settings.fresh else _other_studies(design, paths, settings.inputs)
        rounds = Rounds(design, settings, record, others, source)
        waiting = rounds.take(())
        proposer = _open_proposer(design, paths, settings, record, leases, display)
        if proposer is not None:
            at_the_end.callback(proposer.close)
        open_choices = 0 if proposer is None else proposer.left
        if waiting or open_choices or paths.outcomes.exists():
            for labels in (labels for data in settings.inputs.data.values() for labels in data.labels):
                keep_labels(paths.results, labels)
        planned = rounds.total + (0 if proposer is None else proposer.planned)
        display.begin(planned, planned - len(waiting) - open_choices, rounds.shared)
        tracker = open_tracker()
        if tracker is not None and settings.fresh:
            remove_superseded(tracker, paths, record.trials)
        outcome = SweepOutcome(record, 0, 0, 0, None)
        if waiting or open_choices:
            context = SweepContext(
                design, paths, settings, record, leases, display, tracker, others, proposer
            )
            outcome = Dispatch(context, rounds).run(waiting, make_executor, stop)
        if tracker is not None and outcome.stopped_by is None:
            fill_in(tracker, source.by_key, paths, record.trials, settings.command, stop.is_set)
        return replace(outcome, stopped_by=stop.signal) if stop.is_set() else outcome


def _other_studies(design: Design, paths: StudyPaths, inputs: Inputs) -> OtherStudies:
    return OtherStudies(paths.results_dir, paths.study, inputs.digests, weights=design.study.keeps_weights)


def _open_proposer(
    design: Design,
    paths: StudyPaths,
    settings: Settings,
    record: StudyRecord,
    leases: Leases,
    display: Display,
) -> Proposer | None:
    """Open the study's choices; None where it makes none, or where only some trials are asked for."""
    if not design.kind.chooses or settings.only is not None:
        return None
    from ablations.running.search.proposer import Proposer  # Optuna takes a second to import

    return Proposer(design, paths, record, leases, settings.storage, display.say)


def _clear_away(paths: StudyPaths, leases: Leases, record: TrialFile) -> None:
    """Remove what killed sweeps have left: their leases, and the files of trials that are finished."""
    leases.clear_dead()
    held = set(leases.held())
    once = {line.written_as for line in record.finished.values() if line.written_as}
    for key in (record.finished.keys() | once) - held:
        for left in paths.running.glob(f"{key}.*"):
            left.unlink(missing_ok=True)
        if (paths.checkpoints / key).exists():
            shutil.rmtree(paths.checkpoints / key, ignore_errors=True)


def _note_plan(paths: StudyPaths, plan: LastPlan, display: Display) -> None:
    """Write which plan is run, and say so where another one was run last: trials of both are kept."""
    try:
        before = read_last_plan(paths.results)
    except RecordError as error:
        display.say(f"{error}; the plan of this run takes its place")
        before = None
    if before == plan:
        return
    if before is not None and before.digest != plan.digest:
        changed = " as it was before its file was changed" if before.words == plan.words else ""
        display.say(
            f"{paths.results} was last run with another plan, {before.typed}{changed}: its trials stay, and the report"
            " is now of this plan"
        )
    write_last_plan(paths.results, plan)


def _set_record_aside(paths: StudyPaths, leases: Leases) -> None:
    for key in leases.held():
        if not leases.is_stale(key):
            raise RecordError(
                f"study {paths.study!r} is being trained by {leases.holder(key)}; stop it before `fresh=True`"
            )
    paths.set_record_aside()
    shutil.rmtree(paths.checkpoints, ignore_errors=True)


def _same_data(record: TrialFile, design: Design, paths: StudyPaths, inputs: Inputs) -> None:
    """Refuse to mix results of different data under one name."""
    runner = runner_of(design.study)
    for line in (*record.finished.values(), *record.pruned.values()):
        digest = inputs.digest(runner.data_of(line.trial))
        if digest and line.data_digest != digest:
            raise RecordError(
                f"{paths.record} was recorded with other data (digest {line.data_digest[:12]}, now {digest[:12]});"
                " use `fresh=True` to start the study anew, or `results_dir` for another place"
            )
