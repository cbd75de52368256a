"""One attempt at a trial of any experiment: any error in it becomes a failure in its outcome."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from ablations.planning.factors.trial import FactorTrial
from ablations.running.machine.cuda.lost_context import loses_context, note_lost_context
from ablations.running.machine.durable import FULL_OR_FAILING
from ablations.running.record.trial_record import Failure, Kind, MetricsResult, StepMetrics
from ablations.running.trials.experiment_context import RunningContext, check_metrics, throttled
from ablations.running.trials.progress import ProgressWriter
from ablations.running.trials.stopping import Stopped
from ablations.running.trials.task import TaskOutcome
from senet_core.errors import one_line, typed_line

if TYPE_CHECKING:
    from ablations.running.trials.experiment_task import ExperimentTask

ARTIFACTS = "artifacts"
"""The folder of a study in which the folders of its trials are kept, where it says so."""

LOGS = "logs"
"""The folder of a study with what each of its trials printed."""

_LONGEST = 600


class ExperimentAttempt:
    """One attempt at a trial, and what is known of it so far.

    Args:
        task: the trial.
        signalled: returns whether a signal has asked this worker to end.

    Raises:
        UserError: the code of the experiment was changed, or cannot be loaded.
    """

    def __init__(self, task: ExperimentTask, signalled: Callable[[], bool]) -> None:
        self._task, self._signalled = task, signalled
        self._began, self._started = time.monotonic(), _now()
        self._history: list[StepMetrics] = []
        self._environment: dict[str, Any] = {}
        self._result: MetricsResult | None = None
        self._failure: Failure | None = None
        self._outcomes: bytes | None = None
        self._timed_out = self._spent = False
        self._stopped = task.lost_its_lease()  # while it waited for its turn
        if not self._stopped:
            self._run()

    def outcome(self) -> TaskOutcome:
        """Return how it ended."""
        return TaskOutcome(
            result=self._result,
            history=tuple(self._history),
            failure=self._failure,
            environment=self._environment,
            data_digest=self._task.data_digest,
            data_note="",
            started=self._started,
            finished=_now(),
            stopped=self._stopped,
            seconds=time.monotonic() - self._began,
            signalled=self._stopped and self._signalled(),
            outcomes=self._outcomes,
            spent=self._spent,
        )

    def _run(self) -> None:
        task = self._task
        experiment = task.experiment()
        threads = int(os.environ.get("OMP_NUM_THREADS", "1"))
        self._environment = task.environment(threads)
        with ProgressWriter(task.progress_file, self._environment) as writer:

            def tell(step: StepMetrics) -> None:
                self._history.append(step)
                writer.epoch(step)

            trial = FactorTrial.from_json(task.trial)
            wanted = trial.judged_by or tuple(metric.column for metric in experiment.metrics)
            # of a proposal nothing else is kept, least of all what the study reports
            hidden = {metric.column for metric in experiment.metrics} - set(wanted)
            before = self._earlier(tell)
            context = RunningContext(
                trial.seed,
                task.checkpoint_dir,
                task.running_dir.parent / LOGS / f"{task.key}.log",
                throttled(self._asked_to_stop),
                lambda step: tell(replace(step, metrics=_without(step.metrics, hidden))),
            )
            try:
                found = experiment.run(trial, context)
                if found is None and self._asked_to_stop():
                    raise Stopped
                metrics = _without(check_metrics(found, wanted), hidden)
                if not trial.proposed:
                    self._keep_outcomes(context, metrics[wanted[0]])
                self._result = MetricsResult(
                    metrics, before + time.monotonic() - self._began, self._outcomes_hash()
                )
                if task.fields.get("keep"):
                    self._keep_folder(context)
            except Stopped:
                self._stop(before)
            except KeyboardInterrupt:
                raise
            except ArithmeticError as error:
                self._fail("diverged", error)
            except MemoryError as error:
                self._fail("oom", error)
            except TrialFailed as error:
                self._fail(error.kind, error)
            except BaseException as error:  # whatever it raises fails this trial, not the sweep
                self._fail(_kind(error), error, typed=True)

    def _asked_to_stop(self) -> bool:
        task = self._task
        if task.timeout_seconds is not None and time.monotonic() - self._began > task.timeout_seconds:
            self._timed_out = True
            return True
        if self._signalled() or task.lost_its_lease():
            return True
        return any(path is not None and path.exists() for path in (task.stop_file, task.prune_file))

    def _stop(self, before: float) -> None:
        if self._timed_out:
            self._fail(
                "timeout", TimeoutError(f"the trial took longer than {self._task.timeout_seconds:g} s")
            )
            return
        self._stopped = True
        if not self._task.lost_its_lease():
            told = {
                "seconds": before + time.monotonic() - self._began,
                "history": [vars(s) for s in self._history],
            }
            with suppress(OSError):
                (self._task.checkpoint_dir / "attempts.json").write_text(json.dumps(told), encoding="utf-8")

    def _earlier(self, tell: Callable[[StepMetrics], None]) -> float:
        """Take over what earlier attempts reported; return how many seconds they took."""
        try:
            told = json.loads((self._task.checkpoint_dir / "attempts.json").read_text(encoding="utf-8"))
            steps = [StepMetrics(**step) for step in told["history"]]
            seconds = float(told["seconds"])
        except (OSError, ValueError, KeyError, TypeError):
            return 0.0
        for step in steps:
            tell(step)
        return seconds

    def _keep_outcomes(self, context: RunningContext, metric: float) -> None:
        if context.right is None:
            return
        from ablations.running.record.outcomes import Outcomes

        error = 100 * float((~context.right).sum()) / len(context.right)
        if abs(error - metric) > 1e-6:
            raise ValueError(
                f"outcomes: the first metric must be the error in per cent of these examples, {error:.6g}, and is"
                f" {metric:.6g}"
            )
        self._outcomes = Outcomes(self._task.key, self._task.data_digest, context.right).to_bytes()

    def _outcomes_hash(self) -> str | None:
        from ablations.running.record.outcomes import hash_of

        return None if self._outcomes is None else hash_of(self._outcomes)

    def _keep_folder(self, context: RunningContext) -> None:
        kept = self._task.running_dir.parent / ARTIFACTS / self._task.key
        shutil.rmtree(kept, ignore_errors=True)
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(context.folder, kept)

    def _fail(self, kind: Kind, error: BaseException, *, typed: bool = False) -> None:
        self._result = self._outcomes = None
        note_lost_context(error)
        self._spent = loses_context(error)
        text = typed_line(error) if typed else one_line(error)
        self._failure = Failure(kind, text[:_LONGEST], self._history[-1].step if self._history else None)


class TrialFailed(Exception):
    """A trial that failed for a reason that is known.

    Attributes:
        kind: see `Failure`.
    """

    def __init__(self, kind: Kind, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def _kind(error: BaseException) -> Kind:
    if isinstance(error, OSError) and error.errno in FULL_OR_FAILING:
        return "disk"
    return "oom" if "out of memory" in one_line(error).lower() else "error"


def _without(metrics: Mapping[str, float], hidden: Collection[str]) -> dict[str, float]:
    return {name: value for name, value in metrics.items() if name not in hidden}


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
