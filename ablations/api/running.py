"""Running a study from Python: the same sweep as `ablate run`, without printing."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from ablations.analysis.results.results import Results
from ablations.api.studies import AnyStudy, open_study
from ablations.api.sweeping import RunOptions, StudyRun
from ablations.planning.study import Study
from ablations.running.machine.durable import not_written, write_durably
from ablations.running.record.study_paths import StudyPaths
from ablations.running.sweep.values import SILENT, Display
from senet_core.errors import UserError
from senet_core.words import counted

if TYPE_CHECKING:
    from concurrent.futures import Executor

__all__ = ["RunOptions", "SweepStopped", "run"]


class SweepStopped(Exception):
    """The sweep was asked to stop by a signal other than Ctrl-C; what was trained is recorded.

    Attributes:
        signal: its number.
        left: trials that are left.
    """

    def __init__(self, number: int, left: int) -> None:
        super().__init__(
            f"stopped by signal {number}: {counted(left, 'trial')} left; the same call continues where they are"
        )
        self.signal, self.left = number, left


def run(
    study: AnyStudy,
    train: Callable[[Any, Any], Any] | None = None,
    *,
    seeds: int | None = None,
    results_dir: str | Path = "results",
    workers: int | None = None,
    executor: Callable[[int], Executor] | str | None = None,
    options: RunOptions | None = None,
    display: Display = SILENT,
    **changes: Any,
) -> Results:
    """Train what is missing of a study, and return its results. A finished trial is never trained again.

    Nothing is printed, and MLflow is told only where `options` say so. Ctrl-C, SIGTERM, SIGUSR1 and SIGHUP save what
    runs, say so as a warning of the logger "ablations", and end the call; the same call continues. In a thread other
    than the main one, signals are left to the caller. Trials that fail are in the results (`Results.failed`); they are
    tried again by the same call.

    Args:
        study: see `load_study`.
        train: a function of (trial, context) that runs one trial and returns its metrics by name, for a study that has
            `experiment: {metrics: ...}`; see docs/your-own-training.md. None where the study says all of it.
        seeds: how many seeds, instead of the study's own.
        results_dir: holds a folder for each study; made if need be.
        workers: trials at a time; as many as cores or GPUs if None.
        executor: where trials run: "ray", a function of the trials at a time that returns an executor, or None for
            worker processes here.
        options: data folder, timeouts, kernels; and `tracking=True` for MLflow.
        display: who is told how the sweep goes.
        changes: overrides and plugins, as those of `load_study`.

    Raises:
        StudyError: the study is wrong, or compares a network with itself.
        RecordError: the record cannot be read or was made with other data.
        DataError: the data set is not there.
        KeyboardInterrupt: Ctrl-C, once everything that ran is saved; or a second signal of any kind, at once.
        SweepStopped: another signal asked to stop.
    """
    from ablations.running.executors.factories import ExecutorOptions

    options = RunOptions() if options is None else options
    if not isinstance(options, RunOptions):
        raise UserError(f"`options` are `ab.RunOptions(data_dir=..., tracking=True, ...)`, got {options!r}")
    executors = ExecutorOptions(executor=executor, workers=workers)
    if train is not None:
        study = _with_function(study, train)
    design, paths = open_study(study, results_dir, fresh=options.fresh, seeds=seeds, **changes)
    design.study.experiment.check(design)
    if not design.study.typed:
        design = replace(design, study=_written_down(design.study, paths))
    sweep = StudyRun(design, paths, options)
    outcome = sweep.train(executors.factory(), display)
    if outcome.stopped_by == signal.SIGINT:
        raise KeyboardInterrupt
    if outcome.stopped_by is not None:
        raise SweepStopped(outcome.stopped_by, outcome.left)
    return sweep.results.now


def _with_function(study: AnyStudy, train: Callable[[Any, Any], Any]) -> Mapping[str, Any]:
    """Return the fields of a study whose trials call a function."""
    from ablations.errors import StudyError
    from ablations.experiments.function.kind import fields_of_function
    from ablations.planning.study_file import read_fields

    fields = study.fields() if isinstance(study, Study) else read_fields(study)
    given = fields.get("experiment")
    if not isinstance(given, Mapping):
        raise StudyError("a study of a function needs `experiment: {metrics: {NAME: minimise or maximise}}`")
    return {**fields, "experiment": {**given, **fields_of_function(train)}}


def _written_down(study: Study, paths: StudyPaths) -> Study:
    """Write a study that is no file into its results folder, so that a command can make its numbers again."""
    path = paths.results / f"{study.name}.yaml"
    fields = {field: value for field, value in study.fields().items() if field != "name"}  # the file has it
    if study.folder:  # both may be moved together
        fields["folder"] = os.path.relpath(os.path.realpath(study.folder), os.path.realpath(path.parent))
    text = yaml.safe_dump(fields, sort_keys=False, allow_unicode=True)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_durably(path, text.encode())
    except OSError as error:
        raise not_written(f"the study {path}", error, chosen=True) from error
    return study.model_copy(update={"typed": (str(path),)})
