"""Dispatch: which trial begins when, and what of the others a sweep waits for."""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from functools import partial

from ablations.errors import DataError
from ablations.planning.trial import Trial
from ablations.running.executors.process_pool import ExecutorLost
from ablations.running.machine.signals import Stop, asked_to_stop
from ablations.running.record.set_aside import SetAside
from ablations.running.sweep.rounds import Rounds
from ablations.running.sweep.running_trials import POLL_SECONDS, RunningTrials
from ablations.running.sweep.values import SweepContext, SweepOutcome
from ablations.running.trials.runner import runner_of
from ablations.running.trials.task import Task
from ablations.running.trials.worker import run_task
from senet_core.words import counted


class Dispatch:
    """One sweep's work: `run` does it.

    Args:
        context: what it works with.
        rounds: the trials to train, round by round.
    """

    def __init__(self, context: SweepContext, rounds: Rounds) -> None:
        self.paths, self.settings, self.study_record = context.paths, context.settings, context.record
        self.record, self.leases, self.display = context.record.trials, context.leases, context.display
        self.others, self.proposer, self.rounds = context.others, context.proposer, rounds
        study = context.design.study
        self.study, self.runner = study, runner_of(study)
        self.timed = study.search is not None and study.search.timed
        self.rows = {key: row for key, (row, _) in rounds.by_key.items()}
        self.aside = SetAside()
        for key in self.record.finished.keys() & self.rows.keys():
            self.aside.finished(self.rows[key])
        self.running = RunningTrials(context, self.aside)
        self.elsewhere: list[Trial] = []
        self.waited = False
        self.set_aside: set[str] = set()
        self.seen: set[str] = set()

    def run(
        self, waiting: Sequence[Trial], make_executor: Callable[[], Executor], stop: Stop
    ) -> SweepOutcome:
        """Feed the executor until everything has ended, or the sweep is asked to stop.

        Args:
            waiting: the first round.
            make_executor: opens where to train.
            stop: whether the sweep was asked to stop.
        """
        running, queue = self.running, deque(self._ordered(waiting))
        executor, began = make_executor(), time.monotonic()
        running.mlflow.close_stale()
        stop.waiting_for = running.what_is_waited_for
        try:
            while not stop.is_set():
                self._propose(queue)
                self._feed(executor, queue)
                if running or self._wait_for_others(queue):
                    running.collect(executor)
                    self.elsewhere += running.take_lost()
                    queue.extendleft(running.take_handed_back())
                elif self.proposer is not None and self.proposer.waits():
                    time.sleep(POLL_SECONDS)
                else:
                    queue.extend(self._next_round())
                    if not queue:
                        break
        except BaseException as error:
            # an executor whose processes get the signal that asks to stop, too, may be lost before it is heard here
            if not (isinstance(error, ExecutorLost) and asked_to_stop(within_seconds=POLL_SECONDS)):
                # where the data are others now, those who began before have the right ones open, and can save
                # their state
                running.end(executor, graceful=isinstance(error, DataError), hurried=lambda: True)
                raise
        if not stop.is_set():  # else trials end and are shown below this line
            running.show_how_busy(time.monotonic() - began)
        open_choices = 0 if self.proposer is None else self.proposer.left
        unfinished = bool(running or queue or self.elsewhere or open_choices)
        running.end(executor, graceful=True, hurried=stop.is_set)
        known = self.seen | {trial.key for trial in (*waiting, *queue)}
        left = len(known - running.proposed - self.record.finished.keys() - running.failed)
        left += 0 if self.proposer is None else self.proposer.left
        by = stop.signal if stop.is_set() and unfinished else None
        return SweepOutcome(self.study_record, running.trained, len(running.failed), left, by)

    def _next_round(self) -> list[Trial]:
        taken = self.rounds.take(self.running.failed | self.set_aside)
        self.rows |= {key: row for key, (row, _) in self.rounds.by_key.items()}
        if taken:
            chosen = 0 if self.proposer is None else self.proposer.planned
            self.display.extend(self.rounds.total + chosen, len(taken))
        return self._ordered(taken)

    def _ordered(self, trials: Sequence[Trial]) -> list[Trial]:
        return self.runner.ordered(trials, lambda trial: self.rows[trial.key], workers=self.settings.workers)

    def _propose(self, queue: deque[Trial]) -> None:
        """Let the study's choices add to the queue, and no more than can begin now: each proposal knows the last."""
        if self.proposer is None:
            return
        room = self.settings.workers - len(self.running) - len(queue)
        for row, trial in self.proposer.propose(room):
            self.rows[trial.key] = row
            self.running.proposed.add(trial.key)
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
            proposed = trial.key in self.running.proposed  # its lease came with it
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
                self.running.begin(row, trial, partial(executor.submit, run_task, self._task(trial)))

    def _finished_meanwhile(self, trial: Trial) -> bool:
        self.record.refresh()
        # a latency is measured where it is asked for: other studies' trials may have none
        shared = not (self.timed and trial.key in self.running.proposed)
        if trial.key not in self.record.finished and self.others is not None and shared:
            for line in self.others.take_over([trial.key], self.study_record):
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
            elif self.leases.is_free(trial.key):
                queue.append(trial)
            else:
                still.append(trial)
        self.running.release_ended()
        self.leases.refresh()
        if len(still) == len(self.elsewhere) and still:
            if not self.waited:
                said = counted(len(still), "trial")
                self.display.say(f"waiting for {said} that other sweeps are training")
            self.waited = True
            time.sleep(POLL_SECONDS)
        self.elsewhere = still
        return bool(queue or still)

    def _task(self, trial: Trial) -> Task:
        proposed = trial.key in self.running.proposed
        places = {
            "running_dir": self.paths.running.absolute(),
            "checkpoint_dir": self.paths.checkpoints.absolute() / trial.key,
            "stop_file": self.running.stop_file.absolute(),
            "timeout_seconds": self.settings.timeout_seconds,
            "plugins": self.study.plugins,
            "prune_file": self.running.prune_file(trial.key) if proposed else None,
            "token": self.leases.token,
        }
        settings = {
            "data_dir": self.settings.data_dir.absolute(),
            "kernels": self.settings.kernels,
            "processes": self.settings.processes,
            "latency": self.timed and proposed,
            "digest": self.settings.inputs.digest(self.runner.data_of(trial.to_json())),
        }
        return self.runner.task(self.study, trial, places, settings)
