"""The MLflow experiment of a study, written by the sweeping process alone.

`results/` is the durable record and this is a view of it, so nothing that goes wrong here stops a sweep: the
first failure is reported in one line, and after a few in a row MLflow rests for a while.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, NamedTuple, ParamSpec, TypeVar, cast

from ablations.running.mlflow.runs import KEY, NOTE, STOPPED, SWEEP, Runs, may_be_written, this_process
from ablations.running.mlflow.store import NoServer, connect, experiment, locate, why_failed
from ablations.running.mlflow.summaries import RowSummary, write_summaries
from ablations.running.mlflow.values import (
    IMPORTED,
    LEVEL,
    PLAN,
    epoch_step,
    failure_text,
    final_metrics,
    last_step,
    level_of,
    trial_parameters,
    width_parameters,
)
from ablations.running.mlflow.views import page_of, view_of
from ablations.running.record.leases import Leases
from ablations.running.record.study_paths import StudyPaths
from senet_core.errors import UserError

if TYPE_CHECKING:
    from mlflow.entities import Run

    from ablations.planning.trial import Trial
    from ablations.running.record.trial_record import Step, TrialRecord

PATIENCE = 3  # failures in a row after which MLflow rests
REST_SECONDS = 15.0  # before it is tried again
LEFT_OPEN = "the sweep ended without closing this run"
LINE = "senet.line"  # tag: the line of the record that a run tells of; a trial trained anew has another

P = ParamSpec("P")
T = TypeVar("T")
Method = Callable[Concatenate["Tracker", P], T]
_log = logging.getLogger("ablations")


def _never_fails(fallback: T) -> Callable[[Method[P, T]], Method[P, T]]:
    """Turn an MLflow failure in a method into `fallback` and a note of it."""

    def decorate(method: Method[P, T]) -> Method[P, T]:
        @wraps(method)
        def call(self: Tracker, /, *args: P.args, **kwargs: P.kwargs) -> T:
            if self.closed:
                self.missed += 1
                return fallback
            try:
                answer = method(self, *args, **kwargs)
            except Exception as fault:
                self._note(fault)
                return fallback
            self._failures_in_a_row = 0
            return answer

        return call

    return decorate


class FinishedRun(NamedTuple):
    """A finished trial in MLflow: its run, its key, the mark of its line in the record, its plan; "" where unknown."""

    run_id: str
    key: str
    mark: str
    plan: str


class Tracker:
    """One study's experiment in MLflow.

    A server that does not answer is tried again after a while: a sweep may begin before its server does.

    Args:
        study_name: the experiment's name.
        tracking_uri: a store named by the user; None takes MLFLOW_TRACKING_URI, else a database under
            `results_dir`.
        results_dir: folder of the records, where the default store lives.
        must_answer: refuse a server that does not answer now.
        plan: which plan of the study is written, in a few words; see `plan_text`.

    Attributes:
        uri: the store in use, without the password it may hold.
        alone: whether no other results folder writes to the store.
        missed: entries that the experiment lacks because MLflow failed.
        first_failure: why, in one line; None while all went well.

    Raises:
        UserError: the store that was named is none, or a database that cannot be used.
    """

    def __init__(
        self,
        study_name: str,
        tracking_uri: str | None,
        results_dir: Path,
        *,
        must_answer: bool = False,
        plan: str = "",
    ) -> None:
        self._store = locate(tracking_uri, results_dir)
        self._leases = Leases(StudyPaths(study_name, results_dir, results_dir).leases)
        self.study_name, self.plan = study_name, plan
        self.uri = self._store.shown
        self.alone = not self._store.given
        self.missed = 0
        self.first_failure: str | None = None
        self._failures_in_a_row = 0
        self._rests_until = 0.0
        self._views: set[str] = set()
        self._opened: Runs | None = None
        try:
            self._opened = self._open()
        except Exception as fault:
            if isinstance(fault, UserError) and (must_answer or not isinstance(fault, NoServer)):
                raise
            self._note(fault, enough=True)
            if self._store.database is not None:  # a damaged file does not come back as a server does
                self._rests_until = math.inf

    @property
    def page(self) -> str:
        """The address of the study's page after host and port; "" when there is none."""
        return "" if self._opened is None else page_of(self._opened.experiment_id)

    @property
    def _runs(self) -> Runs:
        if self._opened is None:
            self._opened = self._open()
        return self._opened

    def _open(self) -> Runs:
        client = connect(self._store)
        return Runs(client, experiment(client, self.study_name, self._store))

    @property
    def closed(self) -> bool:
        """Whether MLflow rests after failures in a row; it is tried again after a while."""
        return self._failures_in_a_row >= PATIENCE and time.monotonic() < self._rests_until

    @_never_fails("")
    def start_trial(
        self,
        label: str,
        axis_values: Mapping[str, str],
        trial: Trial,
        environment: Mapping[str, Any],
        command: str | None = None,
    ) -> str:
        """Open the run of one trial.

        Args:
            label: of the row of the study that the trial belongs to.
            axis_values: every axis of the study and this row's text for it.
            trial: what is trained.
            environment: commit, host, device and versions, as in the record.
            command: what a person types to train it again; None where that is not known.

        Returns:
            The identity of the run, or "" when MLflow failed; the other methods accept both.
        """
        tags = {
            LEVEL: level_of(trial),
            SWEEP: this_process(),
            KEY: trial.key,
            "senet.cells": label,
            "senet.command": command,
            PLAN: self.plan or None,
            "mlflow.source.name": "ablate",
            "mlflow.source.git.commit": environment.get("commit"),
        }
        tags |= {f"senet.{name}": environment.get(name) for name in ("commit", "host", "device", "precision")}
        parameters = trial_parameters(trial, axis_values)
        run_id = self._runs.create(f"{label} · seed {trial.seed}", tags, parameters)
        configuration = {"key": trial.key, "trial": trial.to_json(), "environment": dict(environment)}
        self._runs.write_json(run_id, configuration, "trial.json")
        if level_of(trial) not in self._views:
            self._runs.save_view(view_of(trial, list(axis_values)))
            self._views.add(level_of(trial))
        return run_id

    @_never_fails(None)
    def log_epochs(self, run_id: str, epochs: Sequence[Step]) -> None:
        """Write the figures of several epochs in one call, each at the step of its number."""
        if self._is_open(run_id):
            self._runs.write_metrics(run_id, [epoch_step(epoch) for epoch in epochs])

    @_never_fails(None)
    def finish_trial(self, run_id: str, record: TrialRecord) -> None:
        """Write a trial's result or its failure, and close its run."""
        if not self._is_open(run_id):
            return
        self._runs.write_metrics(run_id, [(last_step(record), final_metrics(record))])
        self._runs.write_parameters(run_id, width_parameters(record.result))
        if record.data_digest:
            name = record.data_name
            self._runs.write_data(run_id, name, record.data_digest, record.data_note)
        if record.status == "finished":
            origin = {} if record.imported is None else {IMPORTED: str(record.imported)}
            self._runs.close(run_id, "FINISHED", {LINE: record.mark, **origin})
        elif record.status == "pruned":
            self._runs.close(run_id, "KILLED", {STOPPED: "pruned: its search found it worse than others"})
        else:
            why = "error: " if record.failure is None else failure_text(record.failure)
            self._runs.close(run_id, "FAILED", {"senet.failure": why})

    @_never_fails(None)
    def kill_trial(self, run_id: str, reason: str) -> None:
        """Close the run of a trial that was stopped before its end."""
        if self._is_open(run_id):
            self._runs.close(run_id, "KILLED", {STOPPED: reason})

    def wake(self) -> None:
        """End the rest after failures, unless the store could not be opened at all."""
        if self._rests_until != math.inf:
            self._failures_in_a_row = 0

    def caught_up(self) -> None:
        """Note that the experiment has everything again."""
        self.missed = 0

    @_never_fails(0)
    def close_stale(self, *, own: bool = False) -> int:
        """Close the runs that a dead sweep left open, and return their number; see `may_be_written`.

        Args:
            own: close those of this process too: it writes to none of them any more.
        """
        running = self._runs.search("attributes.status = 'RUNNING'")
        stale = [run.info.run_id for run in running if not self._may_live(run, own=own)]
        return sum(self._runs.close_left_open(run_id, LEFT_OPEN) for run_id in stale)

    @_never_fails(cast("list[FinishedRun] | None", None))
    def finished_runs(self) -> list[FinishedRun] | None:
        """Return the runs of finished trials; None when MLflow failed."""
        found = (*self._runs.on_level("trial"), *self._runs.on_level("proposal"))
        runs = [run for run in found if run.info.status == "FINISHED"]
        return [
            FinishedRun(run.info.run_id, *(run.data.tags.get(tag, "") for tag in (KEY, LINE, PLAN)))
            for run in runs
        ]

    @_never_fails(cast("list[int] | None", None))
    def epochs_of(self, run_id: str) -> list[int] | None:
        """Return the numbers of the epochs that a run has; None when MLflow failed."""
        return self._runs.epochs(run_id)

    @_never_fails(None)
    def take_in(self, run_id: str) -> None:
        """Note that a run belongs to this plan: it was made for another one that has the same trial."""
        self._runs.tag(run_id, PLAN, self.plan)

    @_never_fails(None)
    def delete_run(self, run_id: str) -> None:
        """Put a run into MLflow's bin, out of which `mlflow` can restore it."""
        self._runs.delete(run_id)

    @_never_fails(None)
    def write_summaries(self, summaries: Sequence[RowSummary]) -> None:
        """Write one run for each row of the study, in place of those of an earlier sweep."""
        write_summaries(self._runs, summaries, self.plan)

    @_never_fails(None)
    def attach_report(self, *folders: Path, note: str = "") -> None:
        """Attach the files of a report, and of what belongs to it, to the study's report run.

        Args:
            folders: with the files.
            note: what MLflow shows on the pages of the experiment and of that run, in Markdown.
        """
        found = self._runs.on_level("report")
        for run in found:  # files cannot be taken out of a run, and those of another plan do not belong here
            if run.data.tags.get(PLAN, "") != self.plan:
                self._runs.delete(run.info.run_id)
        found = [run for run in found if run.data.tags.get(PLAN, "") == self.plan]
        tags = {LEVEL: "report", PLAN: self.plan}
        run_id = found[0].info.run_id if found else self._runs.create("report", tags, {})
        for folder in folders:
            self._runs.write_folder(run_id, folder)
        self._runs.close(run_id, "FINISHED", {NOTE: note} if note else {})
        if note:
            self._runs.describe(note)

    def _is_open(self, run_id: str) -> bool:
        self.missed += not run_id  # the run could not be opened
        return bool(run_id)

    def _may_live(self, run: Run, *, own: bool) -> bool:
        if run.data.tags.get(SWEEP, "") == this_process():
            return not own
        return may_be_written(run, self._leases if self.alone else None)

    def lacks(self, fault: Exception) -> None:
        """Note that the experiment lacks something, and why."""
        self._note(fault)

    def _note(self, fault: Exception, *, enough: bool = False) -> None:
        self.missed += 1
        # a server that keeps silent costs seconds each time it is asked
        enough = enough or isinstance(fault, NoServer)
        self._failures_in_a_row = PATIENCE if enough else self._failures_in_a_row + 1
        self._rests_until = time.monotonic() + REST_SECONDS
        if self.first_failure is None:
            why = fault.why if isinstance(fault, NoServer) else why_failed(fault, self._store.uri)
            self.first_failure = why
            _log.warning("MLflow at %s: %s; training and its record go on", self.uri, self.first_failure)
