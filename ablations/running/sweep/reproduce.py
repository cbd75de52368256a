"""Reproduction: training a recorded trial again, and comparing the results bit by bit."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ablations.errors import RecordError
from ablations.planning.data_path import absolute_path
from ablations.running.data.prepared import source_of
from ablations.running.executors.process_pool import WorkerPool
from ablations.running.machine.durable import DiskError
from ablations.running.machine.kernels import Kernels
from ablations.running.record.trial_record import TrialRecord, TrialResult
from ablations.running.training.task import Task, TaskOutcome
from ablations.running.training.worker import run_task
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
    "fused",
    "winograd",
)
"""Fields of the environment that may explain a difference, the likeliest first."""


@dataclass(frozen=True)
class Reproduction:
    """A recorded trial and its repetition.

    Attributes:
        identical: whether weights, errors, losses and every epoch agree to the last bit.
        differing: measured values that differ: name, recorded, now.
        first_epoch: the first epoch whose loss or error differs; None where none does.
        causes: parts of the environment that differ: name, recorded, now.
    """

    identical: bool
    differing: tuple[tuple[str, Any, Any], ...]
    first_epoch: int | None
    causes: tuple[tuple[str, Any, Any], ...]


def reproduce(
    record: TrialRecord, *, data_dir: Path, plugins: tuple[str, ...] = (), folder: str = ""
) -> Reproduction:
    """Train a recorded trial again, with its number of threads and its precision, and compare.

    Args:
        record: a finished line of a record.
        data_dir: where the prepared data sets are.
        plugins: plug-in files that the trial needs.
        folder: of the study, from which a folder of images is found that is not prepared here yet.

    Raises:
        RecordError: the record has no result to compare with.
        DataError: the data are missing, damaged, or not those that the trial was trained on.
        UserError: the trial fails now.
        DiskError: it fails for want of room.
    """
    if record.result is None:
        raise RecordError(f"trial {record.key} has no result to compare with: it failed ({_reason(record)})")
    outcome = _train(record, data_dir, plugins, _images(record, data_dir, folder))
    if outcome.result is None:
        reason = outcome.failure.message if outcome.failure is not None else "it was stopped"
        full = outcome.failure is not None and outcome.failure.kind == "disk"
        raise (DiskError if full else UserError)(f"trial {record.key} cannot be made again here: {reason}")
    return compare(record, outcome)


def compare(record: TrialRecord, outcome: TaskOutcome) -> Reproduction:
    """Compare a recorded trial with its repetition."""
    assert record.result is not None
    assert outcome.result is not None
    differing = _differences(_measured(record.result), _measured(outcome.result), _compared(record.result))
    first = None
    for before, now in zip(record.history, outcome.history, strict=False):
        if (before.train_loss, before.train_error, before.lr) != (now.train_loss, now.train_error, now.lr):
            first = now.epoch
            break
    same_length = len(record.history) == len(outcome.history)
    return Reproduction(
        identical=not differing and first is None and same_length,
        differing=differing,
        first_epoch=first,
        causes=_differences(
            {**record.environment, **Kernels.from_record(record.environment).to_json()},
            outcome.environment,
            CAUSES,
        ),
    )


def _images(record: TrialRecord, data_dir: Path, folder: str) -> str | None:
    """Return where the images of an image-folder are, or were when the data of the trial were prepared."""
    path = record.trial["data"].get("path")
    if path is None:
        return None
    return source_of(record.data_digest, data_dir) or absolute_path(path, folder)


def _train(record: TrialRecord, data_dir: Path, plugins: tuple[str, ...], images: str | None) -> TaskOutcome:
    # "auto" would take what this machine prefers; the record says what was taken
    recipe = {**record.trial["recipe"], "precision": record.environment.get("precision", "fp32")}
    pool = WorkerPool(1, threads=int(record.environment.get("threads", 1)))
    with tempfile.TemporaryDirectory(prefix="ablate-") as name:
        folder = Path(name)
        task = Task(
            key=record.written_as or record.key,  # it is in the outcomes, whose hash is compared
            trial={**record.trial, "recipe": recipe},
            data_dir=data_dir,
            running_dir=folder / "running",
            checkpoint_dir=folder / "checkpoints",
            stop_file=folder / "stop",
            plugins=plugins,
            kernels=Kernels.from_record(record.environment),
            data_digest=record.data_digest or None,
            images=images,
        )
        try:
            return pool.submit(run_task, task).result()
        finally:
            pool.kill()


def _compared(recorded: TrialResult) -> tuple[str, ...]:
    """Return what can be compared: older records have no outcomes."""
    return tuple(
        name for name in MEASURED if name != "outcomes_sha256" or recorded.outcomes_sha256 is not None
    )


def _measured(result: TrialResult) -> Mapping[str, Any]:
    return {name: getattr(result, name) for name in MEASURED}


def _differences(
    before: Mapping[str, Any], now: Mapping[str, Any], names: tuple[str, ...]
) -> tuple[tuple[str, Any, Any], ...]:
    return tuple(
        (name, before.get(name), now.get(name)) for name in names if before.get(name) != now.get(name)
    )


def _reason(record: TrialRecord) -> str:
    return "no reason is recorded" if record.failure is None else record.failure.message
