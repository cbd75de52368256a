"""Studies that choose, and a worker that does not train but answers at once, by what it is asked."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from small import Watcher, of_digits, small_study

from ablations.analysis.results.growing import CurrentResults, NextTrials
from ablations.planning.design import Design
from ablations.planning.design import design as design_of_study
from ablations.planning.factors.trial import EXPERIMENT, FactorTrial
from ablations.planning.networks.trial import NetworkTrial, network_trial
from ablations.planning.study_file import parse_study
from ablations.planning.trial import Trial
from ablations.running.record.study_paths import StudyPaths
from ablations.running.record.trial_record import (
    EpochMetrics,
    Failure,
    Kind,
    MetricsResult,
    StepMetrics,
    TrialResult,
)
from ablations.running.sweep.sweep import sweep
from ablations.running.sweep.values import Settings, SweepOutcome
from ablations.running.trials.progress import ProgressWriter
from ablations.running.trials.task import Task, TaskOutcome
from senet_core.complexity import measure_complexity

TUNE = {"trials": 6, "validation_images": 40, "pruner": "none"}
SEARCH = {"trials": 12, "validation_images": 40}
PROGRAM_TUNE = {
    "trials": 6,
    "validation_metric": "held_out",
    "pruner": "none",
    "ranges": {"rate": [0.001, 1]},
}
PROGRAM_SEARCH = {"trials": 12, "validation_metric": "held_out", "ranges": {"rate": [0.001, 1]}}
AXES = {
    "squeeze": ["avg", "max", "none"],
    "excitation": ["sigmoid", "relu", "tanh"],
    "reduction": [2, 4, 8, 16],
}


def tuned_study(**tune: Any) -> Design:
    """Three rows, two seeds, six proposals for each row."""
    return small_study("tuned", design="tuned", tune={**TUNE, **tune})


def search_study(**search: Any) -> Design:
    """36 networks and a dozen proposals."""
    return small_study("search", design="search", axes=AXES, seeds=[], search={**SEARCH, **search}, confirm=2)


def tuned_programs(**tune: Any) -> Design:
    """The same of a program."""
    return _programs(
        "tuned",
        {"way": ["other"], "size": [8]},
        {**PROGRAM_TUNE, **tune},
        field="tune",
        seeds=2,
    )


def search_programs(**search: Any) -> Design:
    """A program's space of values and of a range."""
    axes = {"way": ["usual", "other", "third"], "size": [2, 4, 8, 16]}
    return _programs("search", axes, {**PROGRAM_SEARCH, **search}, field="search", seeds=[], confirm=2)


def _programs(design_name: str, axes: Any, choice: Any, *, field: str, **fields: Any) -> Design:
    arguments = ["{rate}", "{size}", "{way}", "{seed}"]
    content = {
        "name": design_name,
        "title": "Small",
        "question": "Does it work?",
        "experiment": {
            "command": ["train", *arguments],
            "metrics": {"score": "maximise", "held_out": "maximise"},
        },
        "baseline": {"rate": 0.05, "size": 2, "way": "usual"},
        "axes": axes,
        "design": design_name,
        "margin": 0.2,
        field: choice,
    }
    return design_of_study(parse_study({**content, **fields}))


@dataclass(frozen=True)
class Chosen:
    """The studies that choose, of one kind of experiment."""

    tuned: Callable[..., Design]
    search: Callable[..., Design]


CHOSEN = {
    "networks": Chosen(tuned_study, search_study),
    "programs": Chosen(tuned_programs, search_programs),
}


def error_of(trial: Trial) -> float:
    """What the pretended training comes to: best at a rate of 0.1, for a maximum squeeze or other way, and r = 4."""
    if isinstance(trial, FactorTrial):
        values = trial.values
        error = 20 + 10 * abs(math.log10(values["rate"] / 0.1)) + trial.seed % 7 / 100
        return error + (values["way"] != "other") * 3 + abs(math.log2(values["size"] / 4))
    trial = network_trial(trial)
    variant = trial.variant
    error = 20 + 10 * abs(math.log10(trial.recipe.lr / 0.1)) + trial.seed % 7 / 100
    if variant is None:
        return error + 5
    ratio = variant.reduction if isinstance(variant.reduction, int) else 8
    return (
        error
        + (variant.squeeze != "max") * 3
        + (variant.excitation != "sigmoid") * 2
        + abs(math.log2(ratio / 4))
    )


class Choosing:
    """Sweeps of one results folder in which nothing is really trained."""

    def __init__(self, folder: Path) -> None:
        self.results = folder / "results"
        self.watcher = Watcher()
        self.asked: list[Any] = []
        self.fail: Callable[[Any], Kind | None] = lambda trial: None
        self.before: Callable[[Task], None] = lambda task: None
        self.handing_out: Callable[[], None] = lambda: None

    def paths(self, design: Design) -> StudyPaths:
        return StudyPaths(design.study.name, self.results, self.results.parent / "reports")

    def sweep(self, design: Design, *, executor: Executor | None = None, **options: Any) -> SweepOutcome:
        paths = self.paths(design)
        record = paths.open_record()
        return sweep(
            design,
            paths,
            Settings(data_dir=self.results, inputs=of_digits("d"), **options),
            make_executor=lambda: executor or Pretending(self, options.get("workers", 1)),
            display=self.watcher,
            record=record,
            source=NextTrials(CurrentResults(design, record)),
        )

    def answer(self, task: Task) -> TaskOutcome:
        of_program = EXPERIMENT in task.trial
        trial: Trial = (FactorTrial if of_program else NetworkTrial).from_json(task.trial)
        self.asked.append(trial)
        self.before(task)
        kind = self.fail(trial)
        measured = self._measured if of_program else self._result
        result, history = (None, ()) if kind else measured(task, trial)
        return TaskOutcome(
            result=result,
            history=history,
            failure=Failure(kind, "as the test wants it", 1) if kind else None,
            environment={"commit": "none"},
            data_digest="d",
            data_note="",
            started="2026-01-01T00:00:00+00:00",
            finished="2026-01-01T00:00:01+00:00",
            stopped=result is None and kind is None,
        )

    def _measured(self, task: Task, trial: Any) -> tuple[MetricsResult | None, tuple[StepMetrics, ...]]:
        error, history = error_of(trial), []
        metrics = {"held_out": 100 - error}
        with ProgressWriter(task.progress_file, {"commit": "none"}) as writer:
            for step in (1, 2, 3):
                history.append(StepMetrics(step, metrics, 1.0))
                writer.epoch(history[-1])
                if self.epoch_ended(task):
                    return None, tuple(history)
        own = {} if trial.proposed else {"score": 99 - error}
        return MetricsResult({**metrics, **own}, 4.0), tuple(history)

    def _result(self, task: Task, trial: Any) -> tuple[TrialResult | None, tuple[EpochMetrics, ...]]:
        error, history = error_of(trial), []
        judged = trial.data.validation_images is not None
        with ProgressWriter(task.progress_file, {"commit": "none"}) as writer:
            for epoch in (1, 2, 3):
                history.append(EpochMetrics(epoch, 1.0, error, 0.1, 1.0, error if judged else None))
                writer.epoch(history[-1])
                if self.epoch_ended(task):
                    return None, tuple(history)
        made_of = measure_complexity(trial.backbone, trial.variant, image_shape=(1, 8, 8), num_classes=10)
        return TrialResult(
            top1_error=error, top5_error=1.0, test_loss=1.0, train_loss=1.0, train_error=1.0,
            parameters=made_of.parameters, multiply_adds=made_of.multiply_adds, bottleneck_widths={},
            train_seconds=3.0, test_seconds=1.0, peak_memory_mib=1.0, weights_sha256=trial.key,
            latency_ms=1.0 if task.latency else None,
        ), tuple(history)  # fmt: skip

    def epoch_ended(self, task: Task) -> bool:
        """Whether the trial stops here."""
        return False


class Pretending(ThreadPoolExecutor):
    """Hands every task to `Choosing.answer`."""

    def __init__(self, choosing: Choosing, workers: int) -> None:
        super().__init__(workers)
        self._choosing = choosing

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        self._choosing.handing_out()
        return super().submit(self._choosing.answer, *args)
