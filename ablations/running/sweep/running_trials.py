"""The running trials of a sweep: follows them, records how each one ended, and ends them when the sweep does."""

from __future__ import annotations

import shutil
import time
import uuid
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, ProcessPoolExecutor, wait
from contextlib import suppress
from pathlib import Path

from ablations.planning.row import Row
from ablations.planning.trial import Trial
from ablations.running.executors.pool_processes import kill_workers
from ablations.running.executors.process_pool import ExecutorLost
from ablations.running.machine.holder import Holder
from ablations.running.machine.signals import asked_to_stop
from ablations.running.mlflow.background_writer import BackgroundWriter
from ablations.running.record.set_aside import SetAside
from ablations.running.sweep.endings import busy_words, line_of, outcome_of_the_dead, write_down
from ablations.running.sweep.values import Running, SweepContext
from ablations.running.trials.progress import Progress, progress_file
from ablations.running.trials.task import TaskOutcome
from senet_core.errors import UserError, one_line
from senet_core.words import counted

POLL_SECONDS = 0.3
STOPPING_SECONDS = 7.0
STOP = "stop."
"""Begins the name of a file that asks a sweep's trials to stop, and that says whose it is."""
TAKEN_OVER = "another sweep took the trial over"
TIMEOUT_GRACE_SECONDS = 30.0


class RunningTrials:
    """The trials of one sweep that are running.

    Args:
        context: what the sweep works with.
        aside: told of every end, so that values that only ever fail are set aside.

    Attributes:
        proposed: keys of the trials that take part in a choice; whoever begins one adds it here.
        trained: trials finished so far.
        failed: keys of trials that failed.
        stop_file: asks the trials to save their state and stop.
    """

    def __init__(self, context: SweepContext, aside: SetAside) -> None:
        self.paths, self.settings, self.record = context.paths, context.settings, context.record
        self.leases, self.display, self.proposer = context.leases, context.display, context.proposer
        self.aside, self._keeps_weights = aside, context.design.study.keeps_weights
        self.mlflow = BackgroundWriter(context.tracker, self.settings.command, self.leases.holds)
        self.stop_file = self.paths.running / f"{STOP}{uuid.uuid4().hex}"
        self.proposed: set[str] = set()
        self.failed: set[str] = set()
        self.trained = 0
        self._running: dict[Future[TaskOutcome], Running] = {}
        self._begun: dict[str, tuple[int, float]] = {}  # the attempt, and when it was first heard of
        self._ended: list[str] = []
        self._lost: list[Trial] = []
        self._handed_back: list[Trial] = []
        self._busy_seconds, self._ended_tasks = 0.0, 0

    def __len__(self) -> int:
        return len(self._running)

    def begin(self, row: Row, trial: Trial, submit: Callable[[], Future[TaskOutcome]]) -> None:
        """Submit a trial, and follow it from now on."""
        progress = Progress(progress_file(self.paths.running, trial.key, self.leases.token))
        for left in self.paths.running.glob(f"{trial.key}.*"):
            left.unlink(missing_ok=True)  # by a dead sweep, or one that has lost the trial
        try:
            self._running[submit()] = Running(trial, row, progress)
        except BrokenExecutor as error:
            raise ExecutorLost(
                f"the executor takes no more trials: {one_line(error)}; the same command goes on"
            ) from error

    def collect(self, executor: Executor) -> None:
        """Wait a moment, follow the running trials, and record those that ended."""
        done, _ = wait(self._running, timeout=POLL_SECONDS, return_when=FIRST_COMPLETED)
        self._give_up(self.leases.refresh())
        done &= self._running.keys()
        for future in self._running:
            self._follow(future, executor)
        self.display.update([r for r in self._running.values() if r.progress.environment is not None])
        self._commit_all(done, executor)
        self.release_ended()

    def take_lost(self) -> list[Trial]:
        """Return the trials that other sweeps have taken over since the last call."""
        lost, self._lost = self._lost, []
        return lost

    def take_handed_back(self) -> list[Trial]:
        """Return the trials whose workers were asked to end since the last call, and that are to be continued."""
        back, self._handed_back = self._handed_back, []
        return back

    def what_is_waited_for(self) -> str:
        """Return in words what a sweep that stops waits for."""
        begun = sum(running.progress.environment is not None for running in self._running.values())
        return (
            f"{counted(begun, 'running trial')} to save what is trained" if begun else "what has begun to end"
        )

    def release_ended(self) -> None:
        """Release the trials that are in MLflow; before that another sweep might write their runs, too."""
        passed_on = [key for key in self._ended if self.mlflow.has_all(key)]
        for key in passed_on:
            self.leases.release(key)
            self._ended.remove(key)

    def show_how_busy(self, seconds: float) -> None:
        """Show how busy the workers were, where there was more than one trial for each."""
        if self._ended_tasks > self.settings.workers:
            self.display.say(busy_words(self.settings.workers, self._busy_seconds, seconds))

    def end(self, executor: Executor, *, graceful: bool, hurried: Callable[[], bool]) -> None:
        """Close everything: running trials save their state if there is time, and are killed otherwise.

        Args:
            executor: where they run; shut down.
            graceful: whether they are given time to save their state.
            hurried: asked now and then; once it says so, MLflow is given little time.
        """
        try:
            if self._running and graceful:
                self._let_them_stop(executor)
        finally:
            left = bool(self._running) and not _killed(executor)
            executor.shutdown(wait=not self._running, cancel_futures=True)
            if left:
                self._ask_to_stop()  # whenever they come to it: their processes are not ours to end
            for running in self._running.values():
                self.mlflow.kill(running.trial.key, "the sweep was stopped")
                running.progress.path.unlink(missing_ok=True)
            if not left:
                self.stop_file.unlink(missing_ok=True)
            self.mlflow.close(hurried)
            self.leases.release_all()
            self.paths.remove_empty()

    def prune_file(self, key: str) -> Path:
        """Return the file that tells a trial of this sweep that it is pruned."""
        return self.paths.running / f"{key}.{self.leases.token}.prune"

    def _give_up(self, lost: Collection[str]) -> None:
        """Take back what another sweep has taken over and has not begun here; what has begun sees to its own end."""
        for future, running in list(self._running.items()):
            if running.trial.key in lost and future.cancel():
                self._forget(future)

    def _forget(self, future: Future[TaskOutcome]) -> None:
        """Have nothing more to do with a trial that another sweep has now: neither its record nor its run."""
        running = self._running.pop(future)
        key = running.trial.key
        if self._begun.pop(key, None) is not None:
            self.mlflow.kill(key, TAKEN_OVER)
        for own in (running.progress.path, self.prune_file(key)):
            own.unlink(missing_ok=True)
        if key in self.proposed and self.proposer is not None:
            self.proposer.lost(key)
        else:
            self._lost.append(running.trial)

    def _set_free(self, future: Future[TaskOutcome]) -> None:
        """Let a trial without an end be begun again from its checkpoint, in this sweep or in another one."""
        running = self._running.pop(future)
        self._begun.pop(running.trial.key, None)
        self.mlflow.kill(running.trial.key, "its worker was stopped")
        for own in (running.progress.path, self.prune_file(running.trial.key)):
            own.unlink(missing_ok=True)
        if running.trial.key not in self.proposed:
            self.leases.release(running.trial.key)

    def _follow(self, future: Future[TaskOutcome], executor: Executor) -> None:
        """Read what a trial has reported since the last call, and pass it on."""
        running = self._running[future]
        new = running.progress.read()
        environment, key = running.progress.environment, running.trial.key
        if environment is None:
            return
        if self._begun.get(key, (0, 0.0))[0] not in (0, running.progress.attempt):
            self.mlflow.kill(key, "the trial was begun again")
            del self._begun[key]
        if key not in self._begun:
            self._begun[key] = running.progress.attempt, time.monotonic()
            self.mlflow.start(running.row, running.trial, environment)
        if new:
            self.mlflow.epochs(key, new)
            if self.proposer is not None and self.proposer.heard(key, new):
                self.prune_file(key).touch()
        limit = self.settings.timeout_seconds
        if limit is not None and time.monotonic() - self._begun[key][1] > limit + TIMEOUT_GRACE_SECONDS:
            running.progress.kill_process()  # it hangs, and does not read its own clock any more
            getattr(executor, "kill_task", lambda hung: None)(future)

    def _commit_all(self, done: Iterable[Future[TaskOutcome]], executor: Executor) -> None:
        """Record how trials ended; an error that ends the sweep is raised when the others are recorded."""
        fatal: list[Exception] = []
        for future in done:
            try:
                self._commit(future, executor)
            except (UserError, ExecutorLost) as error:  # noqa: PERF203  (the next one may be finished)
                fatal.append(error)
        if fatal:
            raise fatal[0]

    def _commit(self, future: Future[TaskOutcome], executor: Executor) -> None:
        """Record how a trial ended: first in the record, from which all else can be made."""
        running = self._running[future]
        self._follow(future, executor)
        key = running.trial.key
        error = future.exception()
        if (
            error is not None
            and not isinstance(error, UserError)
            and asked_to_stop(within_seconds=POLL_SECONDS)
        ):
            self._set_free(future)  # its process got the signal, too: what it has saved is continued
            return
        if isinstance(error, (UserError, ExecutorLost)):
            del self._running[future]
            self.mlflow.kill(key, "the sweep ended")
            running.progress.path.unlink(missing_ok=True)
            raise error  # no fault of the trial's: the next one would end like it
        if not self.leases.holds(key):
            self._forget(future)
            return
        outcome = future.result() if error is None else self._died(running, error)
        self._busy_seconds, self._ended_tasks = self._busy_seconds + outcome.seconds, self._ended_tasks + 1
        if outcome.signalled and not asked_to_stop(within_seconds=POLL_SECONDS):
            self.display.say(
                f"{running.row.label}, seed {running.trial.seed}: a signal ended its worker; it is continued"
            )
            self._set_free(future)
            self._handed_back.append(running.trial)
            return
        if outcome.stopped and not self.prune_file(key).exists():
            self.mlflow.kill(key, "the sweep was stopped")
        else:
            self._write_down(running, outcome)
        for done in (running.progress.path, self.prune_file(key)):
            done.unlink(missing_ok=True)
        del self._running[future]
        self._ended.append(key)

    def _died(self, running: Running, error: BaseException) -> TaskOutcome:
        limit, begun = self.settings.timeout_seconds, self._begun.get(running.trial.key)
        hung = limit is not None and begun is not None and time.monotonic() - begun[1] > limit
        return outcome_of_the_dead(running.progress, error, hung_seconds=limit if hung else None)

    def _write_down(self, running: Running, outcome: TaskOutcome) -> None:
        key = running.trial.key
        line = line_of(self.paths.study, running.trial, outcome, weights=self._keeps_weights)
        written = write_down(self.record, line, outcome)
        if not written:
            self.mlflow.kill(key, f"{TAKEN_OVER} and finished it")
            return
        [line] = written  # as the record has it
        self.mlflow.finish(line)
        if line.failure is None:
            shutil.rmtree(self.paths.checkpoints / key, ignore_errors=True)
            self.trained += 1
        if key in self.proposed:
            if self.proposer is not None:
                self.proposer.ended(line)
        elif line.result is not None:
            self.aside.finished(running.row)
        elif line.failure is not None:
            self.aside.failed(running.row, line.failure)
            self.failed.add(key)
        self.display.finished(running.row, line)

    def _ask_to_stop(self) -> None:
        self.paths.running.mkdir(parents=True, exist_ok=True)
        self.stop_file.touch()
        with suppress(OSError):  # on a full disk it says less, and stops the trials all the same
            self.stop_file.write_text(Holder.this_process().to_text(), encoding="utf-8")

    def _let_them_stop(self, executor: Executor) -> None:
        self._ask_to_stop()
        getattr(executor, "give_up_waiting", lambda: None)()
        done, _ = wait(self._running, timeout=STOPPING_SECONDS)
        for future in [future for future in done if future.cancelled()]:
            self.leases.release(self._running.pop(future).trial.key)
        self._commit_all([future for future in done if not future.cancelled()], executor)


def _killed(executor: Executor) -> bool:
    """End what an executor runs, where its processes can be ended from here; return whether they can."""
    if isinstance(executor, ProcessPoolExecutor):
        kill_workers(executor, wait=False)
    elif (kill := getattr(executor, "kill", None)) is not None:
        kill()
    else:
        return False
    return True
