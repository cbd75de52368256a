"""Background MLflow writer: a thread of its own, so that a slow or absent server never blocks training.

Nothing is lost when MLflow is: the record has everything, and `fill_in` writes what the experiment lacks.
"""

from __future__ import annotations

import errno
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from ablations.planning.row import Row
from ablations.planning.trial import Trial
from ablations.running.machine.locks import LockHeld, locked
from ablations.running.mlflow.summaries import RowSummary
from ablations.running.record.leases import Leases
from ablations.running.record.study_paths import StudyPaths
from ablations.running.record.trial_file import TrialFile
from ablations.running.record.trial_record import Step, TrialRecord

if TYPE_CHECKING:
    from ablations.running.mlflow.tracker import Tracker

PATIENT_SECONDS = 600.0
HURRIED_SECONDS = 2.0


class BackgroundWriter:
    """Pass a sweep's events to a tracker, in their order, without waiting for it.

    Args:
        tracker: None makes every method do nothing.
        command: what a person types to train a row again.
        holds: whether the sweep still has a trial; the run of one that it has not is another sweep's to finish.
    """

    def __init__(
        self,
        tracker: Tracker | None,
        command: Callable[[Row], str],
        holds: Callable[[str], bool] = lambda key: True,
    ) -> None:
        self._tracker = tracker
        self._command, self._holds = command, holds
        self._runs: dict[str, str] = {}
        self._epochs: dict[str, set[int]] = {}
        self._incomplete: set[str] = set()
        self._given: Counter[str] = Counter()
        self._passed_on: Counter[str] = Counter()
        self._events: queue.Queue[tuple[str, Callable[[Tracker], object]] | None] = queue.Queue()
        self._thread = threading.Thread(target=self._work, args=(tracker,), daemon=True)
        if tracker is not None:
            self._thread.start()

    def close_stale(self) -> None:
        """Close the runs that a dead sweep left running."""
        self._put("", lambda tracker: tracker.close_stale())

    def has_all(self, key: str) -> bool:
        """Return whether all that was said of a trial was passed on."""
        return self._tracker is None or self._given[key] == self._passed_on[key]

    def start(self, row: Row, trial: Trial, environment: Mapping[str, Any]) -> None:
        """Open a trial's run."""

        def start(tracker: Tracker) -> None:
            self._epochs[trial.key] = set()
            self._runs[trial.key] = tracker.start_trial(
                row.label, dict(row.values), trial, environment, self._command(row) or None
            )

        self._put(trial.key, start)

    def epochs(self, key: str, epochs: Sequence[Step]) -> None:
        """Log epochs."""

        def log(tracker: Tracker) -> None:
            self._epochs.setdefault(key, set()).update(epoch.number for epoch in epochs)
            tracker.log_epochs(self._runs.get(key, ""), epochs)

        self._put(key, log)

    def finish(self, record: TrialRecord) -> None:
        """Close a trial's run with its result or failure, unless a part of it is missing.

        Epochs that the trial's progress did not tell of, as a line of it was lost, are written first.
        """

        def finish(tracker: Tracker) -> None:
            run = self._runs.get(record.key, "")
            told = self._epochs.get(record.key, set())
            untold = [epoch for epoch in record.history if epoch.number not in told]
            if not self._holds(record.key):
                tracker.kill_trial(run, "another sweep took the trial over")
                return
            if untold and run:
                tracker.log_epochs(run, untold)
            if record.key in self._incomplete:
                tracker.kill_trial(
                    run, "MLflow missed a part of this run; the whole is written from the record"
                )
            else:
                tracker.finish_trial(run, record)

        self._put(record.key, finish)

    def kill(self, key: str, reason: str) -> None:
        """Close a trial's run as killed."""
        self._put(key, lambda tracker: tracker.kill_trial(self._runs.get(key, ""), reason))

    def close(self, hurried: Callable[[], bool] = lambda: True) -> bool:
        """Write what waits, and return whether all of it was passed on.

        Args:
            hurried: asked now and then; once it says so, little time is left.
        """
        if self._tracker is None:
            return True
        self._events.put(None)
        until = time.monotonic() + PATIENT_SECONDS
        while self._thread.is_alive() and time.monotonic() < until:
            if hurried():
                until = min(until, time.monotonic() + HURRIED_SECONDS)
            self._thread.join(0.1)
        return not self._thread.is_alive()

    def _put(self, key: str, event: Callable[[Tracker], object]) -> None:
        if self._tracker is not None:
            self._given[key] += 1
            self._events.put((key, event))

    def _work(self, tracker: Tracker) -> None:
        while (waiting := self._events.get()) is not None:
            key, event = waiting
            missed = tracker.missed
            event(tracker)
            if tracker.missed != missed:
                self._incomplete.add(key)
            self._passed_on[key] += 1


def fill_in(
    tracker: Tracker,
    by_key: Mapping[str, tuple[Row, Trial]],
    paths: StudyPaths,
    record: TrialFile,
    command: Callable[[Row], str],
    stopped: Callable[[], bool] = lambda: False,
    *,
    compare: bool = False,
) -> int:
    """Write the runs that a study's experiment lacks, from the record, and close those that were left open.

    Trials that a sweep still holds are that sweep's to write.

    Args:
        tracker: the experiment.
        by_key: every trial that the study has come to, with its row.
        paths: its folders.
        record: its trials.
        command: what a person types to train a row again.
        stopped: asked now and then whether to leave the rest for another time.
        compare: ask MLflow for the epochs of each finished run, too, and write those anew that have others than the
            record; takes a question a trial.

    Returns:
        How many were written.

    Raises:
        RecordError: the record cannot be read.
    """
    with _one_at_a_time(tracker, paths) as alone:
        if not alone:
            return 0
        tracker.wake()
        missed = tracker.missed
        tracker.close_stale(own=True)
        # In this order: a line that is recorded and not held has all of its run, which is then found.
        record.refresh()
        lines = record.finished
        held = set(Leases(paths.leases).held())
        there = remove_superseded(tracker, paths, record, by_key)
        if there is None:
            return 0
        wrong = _with_other_epochs(tracker, there, lines) if compare else {}
        for run_id in wrong.values():
            tracker.delete_run(run_id)
        lacking = {key: line for key, line in lines.items() if key in wrong or key not in held | there.keys()}
        written = _write_lines(tracker, by_key, lacking, command, stopped)
        if tracker.missed != missed:
            tracker.close_stale(own=True)
        elif not stopped():
            tracker.caught_up()
        return written


def write_conclusion(
    tracker: Tracker,
    paths: StudyPaths,
    summaries: Sequence[RowSummary],
    draw: Callable[[Path], object] = lambda folder: None,
    *,
    note: str = "",
) -> None:
    """Write the summaries of a study as a whole: its rows' summaries, and its report where there is one.

    Args:
        tracker: the experiment.
        paths: its folders.
        summaries: of the rows.
        draw: writes further pictures into a folder, which go where the report goes.
        note: what the study shows, in Markdown.
    """
    with _one_at_a_time(tracker, paths) as alone, TemporaryDirectory() as extra:
        if not alone:
            return
        draw(Path(extra) / "optuna")
        tracker.write_summaries(summaries)
        if paths.report.is_dir():
            more = [Path(extra)] if any(Path(extra).iterdir()) else []
            tracker.attach_report(paths.report, *more, note=note)


def _with_other_epochs(
    tracker: Tracker, runs: Mapping[str, str], lines: Mapping[str, TrialRecord]
) -> dict[str, str]:
    """Return the finished runs, by trial, that have not the epochs of their line in the record."""
    found = {}
    for key in runs.keys() & lines.keys():
        epochs = tracker.epochs_of(runs[key])
        if epochs is not None and epochs != [epoch.number for epoch in lines[key].history]:
            found[key] = runs[key]
    return found


def remove_superseded(
    tracker: Tracker, paths: StudyPaths, record: TrialFile, planned: Container[str] = ()
) -> dict[str, str] | None:
    """Put finished runs into MLflow's bin that tell of lines which the record does not have any more.

    Those are the runs of a record that `fresh=True` set aside. In a store that belongs to the results folder, they are
    those of a record that somebody removed, too; in a shared store they may be somebody else's, and stay.

    Runs of trials that are planned are noted as of the tracker's plan, whichever plan they were made for.

    Returns:
        The finished run of each trial that has one now; None when MLflow failed.

    Raises:
        RecordError: the record cannot be read.
    """
    runs = tracker.finished_runs()
    if runs is None:
        return None
    record.refresh()  # after the runs: what a sweep writes to MLflow is in the record already
    current = {line.mark for line in record.finished.values()}
    lines = (*record.lines, *paths.lines_set_aside())
    old = (
        frozenset[str]().union(*(line.marks for line in lines)) - current
    )  # "auto" is written anew with what it was
    there: dict[str, str] = {}
    seen: set[str] = set()
    for run in runs:
        if run.mark and (run.mark in old | seen or (tracker.alone and run.mark not in current)):
            tracker.delete_run(run.run_id)
        else:
            if run.key in planned and run.plan != tracker.plan:
                tracker.take_in(run.run_id)
            there[run.key] = run.run_id
            seen.add(run.mark)
    return there


def _write_lines(
    tracker: Tracker,
    by_key: Mapping[str, tuple[Row, Trial]],
    lines: Mapping[str, TrialRecord],
    command: Callable[[Row], str],
    stopped: Callable[[], bool],
) -> int:
    written = 0
    for key, (row, trial) in by_key.items():
        line = lines.get(key)
        if line is None or stopped():
            continue
        again = None if line.imported else command(row) or None  # the study's code has not made it
        run = tracker.start_trial(row.label, dict(row.values), trial, line.environment, again)
        tracker.log_epochs(run, line.history)
        tracker.finish_trial(run, line)
        written += run != ""
    return written


@contextmanager
def _one_at_a_time(tracker: Tracker, paths: StudyPaths) -> Iterator[bool]:
    """Keep two sweeps that end at once from writing the same runs twice.

    Yields False where another process has held the lock for too long; the tracker is told. Results that may only be
    read are written to MLflow all the same: no sweep can end there.
    """
    with ExitStack() as held:
        alone = True
        try:
            held.enter_context(locked(paths.results / ".notebook.lock"))
        except LockHeld as fault:
            tracker.lacks(fault)
            alone = False
        except OSError as error:
            if error.errno not in (errno.EROFS, errno.EACCES, errno.EPERM):
                raise
        yield alone
