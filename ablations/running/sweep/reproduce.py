"""Reproduction: training a recorded trial again, and comparing the results bit by bit."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ablations.errors import RecordError
from ablations.running.executors.process_pool import WorkerPool
from ablations.running.machine.cuda.device import CUDA_FIELDS
from ablations.running.machine.durable import DiskError
from ablations.running.machine.kernels import Kernels
from ablations.running.record.trial_record import MetricsResult, Result, Step, TrialRecord, TrialResult
from ablations.running.training.network_task import NetworkTask
from ablations.running.trials.runner import runner_of_record
from ablations.running.trials.task import TaskOutcome
from ablations.running.trials.worker import run_task
from senet_core.errors import UserError

MEASURED = ("top1_error", "top5_error", "test_loss", "weights_sha256", "outcomes_sha256")
"""Values that must be the same to the last bit; the outcomes where the record has them."""

CAUSES = (
    "commit",
    "dirty",
    "source",
    "senet-ablations",
    "torch",
    "torchvision",
    "numpy",
    "python",
    "processor",
    "device",
    "precision",
    "threads",
    "processes",
    "fused",
    "winograd",
    *CUDA_FIELDS,
)
"""Fields of the environment that may explain a difference, the likeliest first."""


@dataclass(frozen=True)
class Reproduction:
    """A recorded trial and its repetition.

    Attributes:
        identical: whether weights, errors, losses and every epoch agree to the last bit.
        differing: measured values that differ: name, recorded, now.
        first_epoch: the first epoch whose loss or error differs; None where none does.
        causes: parts of the environment that differ: name, recorded, now; none of an imported trial, which has none.
        weights: the content of a file of the weights, where they were asked for.
    """

    identical: bool
    differing: tuple[tuple[str, Any, Any], ...]
    first_epoch: int | None
    causes: tuple[tuple[str, Any, Any], ...]
    weights: bytes | None = None


def reproduce(
    record: TrialRecord,
    *,
    data_dir: Path,
    results_dir: Path = Path("results"),
    plugins: tuple[str, ...] = (),
    folder: str = "",
    weights: bool = False,
) -> Reproduction:
    """Train a recorded trial again, with its number of threads and of processes and its precision, and compare.

    Args:
        record: a finished line of a record.
        data_dir: where the prepared data sets are.
        results_dir: holds the studies whose results the trial needs.
        plugins: plug-in files that the trial needs.
        folder: of the study, from which a folder of images is found that is not prepared here yet.
        weights: whether to return the weights of its network.

    Raises:
        RecordError: the record has no result to compare with, or no network that weights are asked of.
        DataError: the data are missing, damaged, or not those that the trial was trained on.
        UserError: the trial fails now.
        DiskError: it fails for want of room.
    """
    if record.result is None:
        raise RecordError(f"trial {record.key} has no result to compare with: it failed ({_reason(record)})")
    if weights and not isinstance(record.result, TrialResult):
        raise RecordError(f"trial {record.key} is not the training of a network: it has no weights to keep")
    outcome = _run(record, data_dir, results_dir, plugins, folder, weights=weights)
    if outcome.result is None:
        reason = outcome.failure.message if outcome.failure is not None else "it was stopped"
        full = outcome.failure is not None and outcome.failure.kind == "disk"
        raise (DiskError if full else UserError)(f"trial {record.key} cannot be made again here: {reason}")
    return compare(record, outcome)


def compare(record: TrialRecord, outcome: TaskOutcome) -> Reproduction:
    """Compare a recorded trial with its repetition."""
    assert record.result is not None
    assert outcome.result is not None
    names = _compared(record)
    differing = _differences(_measured(record.result, names), _measured(outcome.result, names), names)
    first = None
    for then, now in zip(record.history, outcome.history, strict=False):
        if _exact(then) != _exact(now):
            first = now.number
            break
    # of an imported trial the results alone are known
    same_length = record.imported is not None or len(record.history) == len(outcome.history)
    causes: tuple[tuple[str, Any, Any], ...] = ()
    if record.imported is None:
        before = {**record.environment, **Kernels.from_record(record.environment).to_json()}
        causes = _differences(before, outcome.environment, CAUSES)
    return Reproduction(
        identical=not differing and first is None and same_length,
        differing=differing,
        first_epoch=first,
        causes=causes,
        weights=outcome.weights,
    )


def _run(
    record: TrialRecord,
    data_dir: Path,
    results_dir: Path,
    plugins: tuple[str, ...],
    folder: str,
    *,
    weights: bool,
) -> TaskOutcome:
    runner = runner_of_record(record)
    with tempfile.TemporaryDirectory(prefix="ablate-") as name:
        there = Path(name)
        places = {
            "running_dir": there / "running",
            "checkpoint_dir": there / "checkpoints",
            "stop_file": there / "stop",
            "plugins": plugins,
        }
        task = runner.again(record, places, data_dir=data_dir, results_dir=results_dir, folder=folder)
        if isinstance(task, NetworkTask):
            task = replace(task, keep_weights=weights)
        threads, processes = (int(record.environment.get(name, 1)) for name in ("threads", "processes"))
        pool = WorkerPool(1, threads=threads * processes, warm_up=runner.warm_up)
        try:
            return pool.submit(run_task, task).result()
        finally:
            pool.kill()


def _compared(record: TrialRecord) -> tuple[str, ...]:
    """Return what can be compared: no times; older records have no outcomes."""
    recorded = record.result
    assert recorded is not None
    if isinstance(recorded, MetricsResult):
        timed = runner_of_record(record).kind.timed
        names = tuple(name for name in recorded.metrics if name not in timed)
        return names if recorded.outcomes_sha256 is None else (*names, "outcomes_sha256")
    return tuple(
        name for name in MEASURED if name != "outcomes_sha256" or recorded.outcomes_sha256 is not None
    )


def _measured(result: Result, names: tuple[str, ...]) -> Mapping[str, Any]:
    kept = {"outcomes_sha256": result.outcomes_sha256}
    return {name: kept[name] if name in kept else result.value(name) for name in names}


def _exact(step: Step) -> Mapping[str, Any]:
    """Return what a step measured, but for the time it took."""
    return {name: value for name, value in step.values.items() if name != "seconds"}


def _differences(
    before: Mapping[str, Any], now: Mapping[str, Any], names: tuple[str, ...]
) -> tuple[tuple[str, Any, Any], ...]:
    return tuple(
        (name, before.get(name), now.get(name)) for name in names if before.get(name) != now.get(name)
    )


def _reason(record: TrialRecord) -> str:
    return "no reason is recorded" if record.failure is None else record.failure.message
