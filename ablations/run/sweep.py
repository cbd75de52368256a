"""The sweep: trains every trial of a study that is not yet recorded.

The record is written first and decides what is done; MLflow is told afterwards. A trial goes from `pending` to an
executor, says its progress through a file, and ends as one line of the record, finished or failed.
"""

from __future__ import annotations

import shutil
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, Protocol

from filelock import FileLock, Timeout

from ablations.plan.design import Cell, Design
from ablations.plan.trial import Trial
from ablations.run.places import Places
from ablations.run.progress import Progress
from ablations.run.record import Failure, Record, TrialRecord, find_shared
from ablations.run.worker import Outcome, Task, run_task
from senet_core.errors import UserError

if TYPE_CHECKING:
    from ablations.run.tracking import Tracker

POLL_SECONDS = 0.3


@dataclass(frozen=True)
class Running:
    """A trial on its way: what it is, what it says of itself, and its MLflow run."""

    trial: Trial
    cell: Cell
    progress: Progress
    run_id: list[str] = field(default_factory=list)  # filled when the trial begins


class Display(Protocol):
    """Who shows a sweep."""

    def begin(self, total: int, done: int, shared: int) -> None:
        """Say how many trials the study has, how many are done, and how many of these another study trained."""

    def update(self, running: Sequence[Running]) -> None:
        """Show the trials that are running."""

    def finished(self, cell: Cell, record: TrialRecord) -> None:
        """Show a trial that ended."""


@dataclass(frozen=True)
class SweepOutcome:
    """How a sweep ended.

    Attributes:
        record: the study's record.
        trained: trials finished by this sweep.
        failed: trials that failed in this sweep.
        left: trials not tried, because the sweep was stopped.
        stopped_by: the signal that stopped it; None where it ran to its end.
    """

    record: Record
    trained: int
    failed: int
    left: int
    stopped_by: int | None


def sweep(
    design: Design,
    places: Places,
    *,
    data_dir: Path,
    digest: str,
    make_executor: Callable[[], Executor],
    display: Display,
    open_tracker: Callable[[], Tracker | None],
    fresh: bool = False,
    command: Callable[[Cell], str] = lambda cell: "",
) -> SweepOutcome:
    """Train what is missing of a study.

    Args:
        design: the study, unfolded.
        places: its folders.
        data_dir: where the prepared data sets are.
        digest: of the study's prepared data.
        make_executor: called once, when there is something to train.
        display: who shows the sweep.
        open_tracker: opens the study's MLflow experiment before any worker starts; None for no tracking.
        fresh: set the old record aside and share nothing with other studies.
        command: what a person types to train a cell again.

    Raises:
        UserError: the folder cannot be written, another sweep has it, the record is corrupt, or it was made with
            other data.
    """
    places.make_writable()
    with _only_sweep(places), _stopped_by_signal() as stop:
        if fresh:
            places.set_record_aside()
        record = places.load_record()
        _same_data(record, design, places, digest)
        record.set_torn_aside()
        cells = {cell.trial(seed).key: cell for seed in design.seeds for cell in design.cells}
        trials = {trial.key: trial for trial in design.trials}
        missing = [key for key in trials if key not in record.finished]
        shared = (
            [] if fresh or not missing else find_shared(missing, places.results_dir, places.study, digest)
        )
        if shared:
            record.append(*shared)
        pending = [trials[key] for key in missing if key not in record.finished]
        display.begin(len(trials), len(trials) - len(pending), len(shared))
        tracker = open_tracker()
        if not pending:
            return SweepOutcome(record, 0, 0, 0, None)
        job = _Sweep(places, data_dir, design.study.plugins, record, cells, display, tracker, command)
        return job.run(pending, make_executor(), stop)


@dataclass
class _Sweep:
    places: Places
    data_dir: Path
    plugins: tuple[str, ...]
    record: Record
    cells: dict[str, Cell]
    display: Display
    tracker: Tracker | None
    command: Callable[[Cell], str]
    trained: int = 0
    failed: int = 0

    def run(self, pending: Sequence[Trial], executor: Executor, stop: threading.Event) -> SweepOutcome:
        shutil.rmtree(self.places.running, ignore_errors=True)
        if self.tracker is not None:
            self.tracker.close_stale()
        running = {executor.submit(run_task, self._task(trial)): self._running(trial) for trial in pending}
        try:
            while running and not stop.is_set():
                done, _ = wait(running, timeout=POLL_SECONDS, return_when=FIRST_COMPLETED)
                self._poll(list(running.values()))
                for future in done:
                    self._commit(running.pop(future), future)
        finally:
            self._end(executor, list(running.values()), killed=bool(running))
        return SweepOutcome(
            self.record,
            self.trained,
            self.failed,
            len(running),
            getattr(stop, "signal", None) if running else None,
        )

    def _task(self, trial: Trial) -> Task:
        return Task(trial.key, trial.to_json(), self.data_dir, self.places.running, self.plugins)

    def _running(self, trial: Trial) -> Running:
        return Running(trial, self.cells[trial.key], Progress(self.places.running / f"{trial.key}.jsonl"))

    def _poll(self, running: Sequence[Running]) -> None:
        for trial in running:
            self._follow(trial)
        self.display.update([trial for trial in running if trial.progress.environment is not None])

    def _follow(self, running: Running) -> None:
        """Take over what a trial has said since the last look, and pass it to MLflow."""
        new = running.progress.read()
        if self.tracker is None or running.progress.environment is None:
            return
        if not running.run_id:
            cell = running.cell
            running.run_id.append(
                self.tracker.start_trial(
                    [cell.label],
                    dict(cell.values),
                    running.trial,
                    running.progress.environment,
                    self.command(cell) or None,
                )
            )
        if new:
            self.tracker.log_epochs(running.run_id[0], [vars(epoch) for epoch in new])

    def _commit(self, running: Running, future: Future[Outcome]) -> None:
        self._follow(running)
        record = self._line(running, future)
        self.record.append(record)  # first the record: what MLflow misses can be made from it
        if self.tracker is not None and running.run_id:
            self.tracker.finish_trial(running.run_id[0], record)
        running.progress.path.unlink(missing_ok=True)
        self.trained += record.status == "finished"
        self.failed += record.status == "failed"
        self.display.finished(running.cell, record)

    def _line(self, running: Running, future: Future[Outcome]) -> TrialRecord:
        error = future.exception()
        outcome = _died(running, error) if error is not None else future.result()
        return TrialRecord(
            key=running.trial.key,
            study=self.places.study,
            status="failed" if outcome.result is None else "finished",
            trial=running.trial.to_json(),
            result=outcome.result,
            history=outcome.history,
            failure=outcome.failure,
            environment=outcome.environment,
            data_digest=outcome.data_digest,
            data_note=outcome.data_note,
            started=outcome.started,
            finished=outcome.finished,
            mlflow_run_id=running.run_id[0] or None if running.run_id else None,
        )

    def _end(self, executor: Executor, left: Sequence[Running], *, killed: bool) -> None:
        kill = getattr(executor, "kill", None)
        if killed and kill is not None:
            kill()
        else:
            executor.shutdown(wait=True, cancel_futures=True)
        for trial in left:
            if self.tracker is not None and trial.run_id:
                self.tracker.kill_trial(trial.run_id[0], "the sweep was stopped")
        shutil.rmtree(self.places.running, ignore_errors=True)


def _died(running: Running, error: BaseException) -> Outcome:
    progress = running.progress
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    message = " ".join(f"{error}".split()) or type(error).__name__
    return Outcome(
        result=None,
        history=tuple(progress.epochs),
        failure=Failure("killed", message, len(progress.epochs) + 1),
        environment=progress.environment or {},
        data_digest="",
        data_note="",
        started=now,
        finished=now,
    )


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


@contextmanager
def _only_sweep(places: Places) -> Iterator[None]:
    lock = FileLock(places.results / ".lock")
    try:
        with lock.acquire(timeout=0):
            yield
    except Timeout:
        raise UserError(f"another sweep of study {places.study!r} is running in {places.results}") from None


class _Stop(threading.Event):
    signal: int | None = None


@contextmanager
def _stopped_by_signal() -> Iterator[_Stop]:
    """Let SIGINT and SIGTERM ask the sweep to stop; a second SIGINT interrupts at once."""
    stop = _Stop()

    def handle(number: int, frame: FrameType | None) -> None:
        if stop.is_set() and number == signal.SIGINT:
            raise KeyboardInterrupt
        stop.signal = number
        stop.set()

    if threading.current_thread() is not threading.main_thread():
        yield stop  # signals belong to the main thread; a caller elsewhere stops the sweep in its own way
        return
    before: dict[int, Any] = {
        number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
