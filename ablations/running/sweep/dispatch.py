"""Dispatch: submits a sweep's trials to an executor, follows them, and records how each one ended."""

from __future__ import annotations

import os
import random
import shutil
import socket
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ablations.planning.design import Design
from ablations.planning.row import Row
from ablations.planning.trial import Trial
from ablations.running.executors.process_pool import ExecutorLost
from ablations.running.machine.signals import Stop
from ablations.running.mlflow.background_writer import BackgroundWriter
from ablations.running.record.leases import Leases
from ablations.running.record.other_studies import OtherStudies
from ablations.running.record.set_aside import SetAside
from ablations.running.record.study_paths import StudyPaths
from ablations.running.record.study_record import StudyRecord
from ablations.running.sweep.endings import busy_words, line_of, outcome_of_the_dead
from ablations.running.sweep.values import Display, Running, Settings, SweepOutcome
from ablations.running.training.progress import Progress
from ablations.running.training.task import Task, TaskOutcome
from ablations.running.training.worker import run_task
from senet_core.errors import UserError

if TYPE_CHECKING:
    from ablations.running.mlflow.tracker import Tracker
    from ablations.running.search.proposer import Proposer

POLL_SECONDS = 0.3
STOPPING_SECONDS = 7.0
TIMEOUT_GRACE_SECONDS = 30.0


@dataclass(frozen=True)
class SweepContext:
    """What one sweep works with.

    Attributes:
        design: the study, unfolded.
        paths: its folders.
        settings: how it is swept.
        record: its record.
        leases: the sweep's.
        display: who shows it.
        tracker: its MLflow experiment; None for none.
        others: the other studies of the results folder; None where nothing is shared with them.
        proposer: makes the study's choices, where it makes any.
    """

    design: Design
    paths: StudyPaths
    settings: Settings
    record: StudyRecord
    leases: Leases
    display: Display
    tracker: Tracker | None = None
    others: OtherStudies | None = None
    proposer: Proposer | None = None


class Dispatch:
    """One sweep's work: `run` does it.

    Args:
        context: what it works with.
        by_key: every trial that the study has come to, with its row.
    """

    def __init__(self, context: SweepContext, by_key: Mapping[str, tuple[Row, Trial]]) -> None:
        self.paths, self.settings = context.paths, context.settings
        self.study_record, self.record = context.record, context.record.trials
        self.leases, self.display = context.leases, context.display
        self.others, self.proposer = context.others, context.proposer
        study = context.design.study
        self.plugins = study.plugins
        self.rows = {key: row for key, (row, _) in by_key.items()}
        self.proposed: set[str] = set()
        self.timed = study.search is not None and "latency" in study.search.objectives
        self.mlflow = BackgroundWriter(context.tracker, self.settings.command)
        self.aside = SetAside()
        for key in self.record.finished.keys() & self.rows.keys():
            self.aside.finished(self.rows[key])
        self.stop_file = self.paths.running / f"stop.{socket.gethostname()}.{os.getpid()}"
        self.stop_file.unlink(missing_ok=True)  # of a killed sweep that had this process's number
        self.ended: list[str] = []
        self.running: dict[Future[TaskOutcome], Running] = {}
        self.begun: dict[str, tuple[int, float]] = {}  # the attempt, and when it was first heard of
        self.elsewhere: list[Trial] = []
        self.waited = False
        self.failed: set[str] = set()
        self.set_aside: set[str] = set()
        self.seen: set[str] = set()
        self.trained = 0
        self.busy_seconds, self.ended_tasks = 0.0, 0
        self.stopping: Callable[[], bool] = lambda: False
        self.kill_task: Callable[[Future[TaskOutcome]], object] = lambda future: None

    def run(
        self,
        waiting: Sequence[Trial],
        executor: Executor,
        stop: Stop,
        more: Callable[[Collection[str]], Sequence[Trial]] = lambda failed: (),
    ) -> SweepOutcome:
        """Feed the executor until everything has ended, or the sweep is asked to stop.

        Args:
            waiting: what to train first.
            executor: where to train.
            stop: whether the sweep was asked to stop.
            more: gives the next round, once all that was waiting has ended; told which trials failed.
        """
        self.stopping = stop.is_set
        self.kill_task = getattr(executor, "kill_task", self.kill_task)
        self.mlflow.close_stale()
        queue, began = deque(waiting), time.monotonic()
        try:
            while not stop.is_set():
                self._propose(queue)
                self._feed(executor, queue)
                if not self.running and not self._wait_for_others(queue):
                    if self.proposer is not None and self.proposer.waits():
                        time.sleep(POLL_SECONDS)
                        continue
                    queue.extend(more(self.failed | self.set_aside))
                    if not queue:
                        break
                    continue
                self._collect()
        except BaseException:
            self._end(executor, graceful=False)
            raise
        self._say_how_busy(time.monotonic() - began)
        unfinished = bool(self.running or queue or self.elsewhere or (self.proposer and self.proposer.left))
        self._end(executor, graceful=True)
        known = self.seen | {trial.key for trial in (*waiting, *queue)}
        left = len(known - self.proposed - self.record.finished.keys() - self.failed)
        left += 0 if self.proposer is None else self.proposer.left
        by = stop.signal if stop.is_set() and unfinished else None
        return SweepOutcome(self.study_record, self.trained, len(self.failed), left, by)

    def know(self, by_key: Mapping[str, tuple[Row, Trial]]) -> None:
        """Take over the trials that the study has come to meanwhile."""
        self.rows |= {key: row for key, (row, _) in by_key.items()}

    def _propose(self, queue: deque[Trial]) -> None:
        """Let the study's choices add to the queue, and no more than can begin now: each proposal knows the last."""
        if self.proposer is None:
            return
        room = self.settings.workers - len(self.running) - len(queue)
        for row, trial in self.proposer.propose(room):
            self.rows[trial.key] = row
            self.proposed.add(trial.key)
            queue.append(trial)

    def _feed(self, executor: Executor, queue: deque[Trial]) -> None:
        """Hand out trials before they are asked for, so that nobody waits while a result is written down.

        As long as there are many, each worker has its next one; towards the end one waits for all, as what is queued
        here cannot be taken by another sweep.
        """
        workers = self.settings.workers
        ahead = workers if len(queue) > 2 * workers else 1
        while queue and len(self.running) < workers + ahead:
            trial = queue.popleft()
            row = self.rows[trial.key]
            proposed = trial.key in self.proposed  # its lease came with it
            reason = None if proposed else self.aside.reason(row)
            self.seen.add(trial.key)
            if reason is not None:
                self.set_aside.add(trial.key)
                self.display.say(f"{row.label}, seed {trial.seed}: not tried; {reason}")
            elif not proposed and (self._others_train(trial) or not self.leases.take(trial.key)):
                self.elsewhere.append(trial)
            elif self._finished_meanwhile(trial):
                self.leases.release(trial.key)
            elif not proposed and self._others_train(trial):
                # both took it at this moment: whoever comes back first has it
                self.leases.release(trial.key)
                self.elsewhere.append(trial)
                time.sleep(random.uniform(0, POLL_SECONDS))
            else:
                progress = Progress(self.paths.running / f"{trial.key}.jsonl")
                for left in (progress.path, self._prune_file(trial.key)):
                    left.unlink(missing_ok=True)  # by a dead sweep
                self.running[executor.submit(run_task, self._task(trial))] = Running(trial, row, progress)

    def _finished_meanwhile(self, trial: Trial) -> bool:
        self.record.refresh()
        # a latency is measured where it is asked for: other studies' trials may have none
        shared = not (self.timed and trial.key in self.proposed)
        if trial.key not in self.record.finished and self.others is not None and shared:
            for line in self.record.append(*self.others.finished([trial.key]), unless_finished=True):
                self.display.finished(self.rows[trial.key], line)
        return trial.key in self.record.finished or trial.key in self.record.pruned

    def _others_train(self, trial: Trial) -> bool:
        return self.others is not None and self.others.are_training(trial.key)

    def _wait_for_others(self, queue: deque[Trial]) -> bool:
        """Check the trials that other sweeps have; return whether there is anything to wait for."""
        still: list[Trial] = []
        for trial in self.elsewhere:
            if self._finished_meanwhile(trial):
                continue
            if self._others_train(trial):
                still.append(trial)
            elif self.leases.holder(trial.key) is None or self.leases.is_stale(trial.key):
                queue.append(trial)
            else:
                still.append(trial)
        self._release_ended()
        self.leases.refresh()
        if len(still) == len(self.elsewhere) and still:
            if not self.waited:
                counted = f"{len(still)} trial{'s' * (len(still) != 1)}"
                self.display.say(f"waiting for {counted} that other sweeps are training")
            self.waited = True
            time.sleep(POLL_SECONDS)
        self.elsewhere = still
        return bool(queue or still)

    def _collect(self) -> None:
        """Wait a moment, follow the running trials, and record those that ended."""
        done, _ = wait(self.running, timeout=POLL_SECONDS, return_when=FIRST_COMPLETED)
        self.leases.refresh()
        for future in self.running:
            self._follow(future)
        self.display.update([r for r in self.running.values() if r.progress.environment is not None])
        for future in done:
            self._commit(future)
        self._release_ended()

    def _task(self, trial: Trial) -> Task:
        return Task(
            key=trial.key,
            trial=trial.to_json(),
            data_dir=self.settings.data_dir.absolute(),
            running_dir=self.paths.running.absolute(),
            checkpoint_dir=self.paths.checkpoints.absolute() / trial.key,
            stop_file=self.stop_file.absolute(),
            timeout_seconds=self.settings.timeout_seconds,
            plugins=self.plugins,
            kernels=self.settings.kernels,
            prune_file=self._prune_file(trial.key) if trial.key in self.proposed else None,
            latency=self.timed and trial.key in self.proposed,
        )

    def _prune_file(self, key: str) -> Path:
        return self.paths.running / f"{key}.prune"

    def _follow(self, future: Future[TaskOutcome]) -> None:
        """Read what a trial has reported since the last call, and pass it on."""
        running = self.running[future]
        new = running.progress.read()
        environment, key = running.progress.environment, running.trial.key
        if environment is None:
            return
        if self.begun.get(key, (0, 0.0))[0] not in (0, running.progress.attempt):
            self.mlflow.kill(key, "the trial was begun again on another node")
            del self.begun[key]
        if key not in self.begun:
            self.begun[key] = running.progress.attempt, time.monotonic()
            self.mlflow.start(running.row, running.trial, environment)
        if new:
            self.mlflow.epochs(key, new)
            if self.proposer is not None and self.proposer.heard(key, new):
                self._prune_file(key).touch()
        limit = self.settings.timeout_seconds
        if limit is not None and time.monotonic() - self.begun[key][1] > limit + TIMEOUT_GRACE_SECONDS:
            running.progress.kill_process()  # it hangs, and does not read its own clock any more
            self.kill_task(future)

    def _commit(self, future: Future[TaskOutcome]) -> None:
        """Record how a trial ended: first in the record, from which all else can be made."""
        running = self.running[future]
        self._follow(future)
        key = running.trial.key
        error = future.exception()
        if isinstance(error, (UserError, ExecutorLost)):
            raise error  # no fault of the trial's: the next one would end like it
        outcome = future.result() if error is None else self._died(running, error)
        self.busy_seconds, self.ended_tasks = self.busy_seconds + outcome.seconds, self.ended_tasks + 1
        if outcome.stopped and not self._prune_file(key).exists():
            self.mlflow.kill(key, "the sweep was stopped")
        else:
            self._write_down(running, outcome)
        for done in (running.progress.path, self._prune_file(key)):
            done.unlink(missing_ok=True)
        del self.running[future]
        self.ended.append(key)

    def _died(self, running: Running, error: BaseException) -> TaskOutcome:
        limit, begun = self.settings.timeout_seconds, self.begun.get(running.trial.key)
        hung = limit is not None and begun is not None and time.monotonic() - begun[1] > limit
        return outcome_of_the_dead(running.progress, error, hung_seconds=limit if hung else None)

    def _write_down(self, running: Running, outcome: TaskOutcome) -> None:
        key, line = running.trial.key, line_of(self.paths.study, running.trial, outcome)
        if not self.record.append(line, unless_finished=True):
            self.mlflow.kill(key, "another sweep took the trial over and finished it")
            return
        self.mlflow.finish(line)
        if outcome.failure is None:
            shutil.rmtree(self.paths.checkpoints / key, ignore_errors=True)
            self.trained += 1
        if key in self.proposed:
            if self.proposer is not None:
                self.proposer.ended(line)
        elif outcome.result is not None:
            self.aside.finished(running.row)
        elif outcome.failure is not None:
            self.aside.failed(running.row, outcome.failure)
            self.failed.add(key)
        self.display.finished(running.row, line)

    def _say_how_busy(self, seconds: float) -> None:
        """Show how busy the workers were, where there was more than one trial for each."""
        if self.ended_tasks > self.settings.workers:
            self.display.say(busy_words(self.settings.workers, self.busy_seconds, seconds))

    def _release_ended(self) -> None:
        """Release the trials that are in MLflow; before that another sweep might write their runs, too."""
        passed_on = [key for key in self.ended if self.mlflow.has_all(key)]
        for key in passed_on:
            self.leases.release(key)
            self.ended.remove(key)

    def _end(self, executor: Executor, *, graceful: bool) -> None:
        """Close everything: running trials save their state if there is time, and are killed otherwise."""
        try:
            if self.running and graceful:
                self._let_them_stop(executor)
        finally:
            kill = getattr(executor, "kill", None)
            if self.running and kill is not None:
                kill()
            else:
                executor.shutdown(wait=not self.running, cancel_futures=True)
            for running in self.running.values():
                self.mlflow.kill(running.trial.key, "the sweep was stopped")
                running.progress.path.unlink(missing_ok=True)
            self.stop_file.unlink(missing_ok=True)
            self.mlflow.close(hurried=lambda: self.stopping() or not graceful)
            self.leases.release_all()
            self.paths.remove_empty()

    def _let_them_stop(self, executor: Executor) -> None:
        self.paths.running.mkdir(parents=True, exist_ok=True)
        self.stop_file.touch()
        getattr(executor, "give_up_waiting", lambda: None)()
        done, _ = wait(self.running, timeout=STOPPING_SECONDS)
        for future in done:
            if future.cancelled():
                self.leases.release(self.running.pop(future).trial.key)
            else:
                self._commit(future)
