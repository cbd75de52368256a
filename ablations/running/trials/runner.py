"""Runner: how the trials of an experiment are run. What it does here is what any experiment needs."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from ablations.planning.experiment import Experiment, experiment_kind, load_class
from ablations.planning.factors.trial import EXPERIMENT
from ablations.running.trials.experiment_task import ExperimentTask
from ablations.running.trials.inputs import NO_INPUTS, Inputs
from ablations.running.trials.task import Task
from senet_core.errors import UserError

if TYPE_CHECKING:
    from ablations.planning.design import Design
    from ablations.planning.row import Row
    from ablations.planning.study import Study
    from ablations.planning.trial import Trial
    from ablations.running.machine.kernels import Kernels
    from ablations.running.record.trial_record import TrialRecord


class Runner:
    """How trials are run, of an experiment that has no more to say of it.

    Args:
        kind: of experiment.

    Attributes:
        warm_up: what a worker calls before its first trial, as "module:function"; empty for nothing.
    """

    warm_up: ClassVar[str] = ""

    def __init__(self, kind: type[Experiment]) -> None:
        self.kind = kind

    def prepare(self, design: Design, data_dir: Path, say: Callable[[str], None]) -> Inputs:
        """Make ready what the trials read.

        Args:
            design: the study.
            data_dir: where prepared data sets are.
            say: called with a line of text while it takes long.

        Raises:
            DataError: it is not there.
        """
        return NO_INPUTS

    def task(
        self, study: Study, trial: Trial, places: Mapping[str, Any], settings: Mapping[str, Any]
    ) -> Task:
        """Return a trial as it is sent to a worker.

        Args:
            study: that the trial belongs to.
            trial: what to run.
            places: the fields that every task has, but for `key` and `trial`.
            settings: `data_dir`, `kernels`, `processes`, `latency`, and the `digest` of the trial's data, for who needs
                them.
        """
        return ExperimentTask(
            key=trial.key,
            trial=trial.to_json(),
            fields=self.fields(study),
            home=getattr(study, "home", ""),
            **places,
        )

    def fields(self, study: Study) -> Mapping[str, Any]:
        """Return the experiment's fields of the study file, from which a worker makes it again."""
        return getattr(study, "experiment_fields", {})

    def again(
        self, line: TrialRecord, places: Mapping[str, Any], *, data_dir: Path, results_dir: Path, folder: str
    ) -> Task:
        """Return the task that runs a recorded trial again.

        Args:
            line: of the record.
            places: as for `task`.
            data_dir: where prepared data sets are.
            results_dir: holds a folder for each study.
            folder: of the study.
        """
        fields = self.kind.fields_of(line.trial[EXPERIMENT])
        return ExperimentTask(
            key=line.key, trial=line.trial, fields=fields, home=folder or os.getcwd(), **places
        )

    def data_of(self, trial: Mapping[str, Any]) -> str:
        """Return which of `Inputs.data` a trial says that it reads; "" for none.

        Args:
            trial: its canonical JSON.
        """
        return ""

    def ordered(
        self, trials: Sequence[Trial], row_of: Callable[[Trial], Row], *, workers: int
    ) -> list[Trial]:
        """Order trials so that the end of a sweep waits for short ones; seed by seed."""
        return list(trials)

    def gpus(self, study: Study) -> int | None:
        """Return how many GPUs a trial needs; None where it takes what there is."""
        found: int | None = getattr(study.experiment, "gpus", None)
        return found

    def check_processes(self, design: Design, processes: int) -> None:
        """Refuse a number of processes that cannot run a trial together.

        Raises:
            UserError: they cannot.
        """
        if processes != 1:
            raise UserError(
                f"`processes_per_trial` is {processes}, and only trainings of networks are shared by processes; a trial"
                f" of this study is of the kind {self.kind.name!r}, and is one process"
            )

    def missing(self, kernels: Kernels, processes: int = 1) -> Sequence[str]:
        """Return sentences on what makes the trials slower here than they could be.

        Args:
            kernels: that are wanted.
            processes: that run each trial together.
        """
        return ()


def runner_of_record(line: TrialRecord) -> Runner:
    """Return how a recorded trial is run again."""
    kind = experiment_kind(line.trial.get(EXPERIMENT, {}).get("kind", "classification"))
    runner: type[Runner] = load_class(kind.runner)
    return runner(kind)


def runner_of(study: Study) -> Runner:
    """Return how a study's trials are run."""
    kind: type[Runner] = load_class(study.experiment.runner)
    return kind(type(study.experiment))
