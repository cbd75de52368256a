"""Task and TaskOutcome: one trial as it is sent to a worker, and what the worker returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ablations.running.machine.kernels import ALL_KERNELS, Kernels
from ablations.running.record.leases import FOLDER as LEASES
from ablations.running.record.leases import names
from ablations.running.record.trial_record import EpochMetrics, Failure, TrialResult
from ablations.running.training.progress import progress_file


@dataclass(frozen=True)
class Task:
    """One trial, as it is sent to a worker.

    Attributes:
        key: the trial's identity.
        trial: its canonical JSON.
        data_dir: where the prepared data sets are.
        running_dir: the study's folder for running trials.
        checkpoint_dir: this trial's own folder for checkpoints.
        stop_file: where it exists, the trial saves its state and stops.
        timeout_seconds: limit of an attempt; None for no limit.
        plugins: plug-in files that the study needs.
        kernels: which to train with where they are available.
        prune_file: where it exists, the trial stops, too; None for a trial that cannot be pruned.
        latency: whether to time one image through the trained network.
        data_digest: of the data that it is to be trained on; None for whatever is there.
        images: where this machine has the images of an image-folder; None for other data.
        token: of the sweep that sends it, in whose name the trial is leased while it is trained; empty where no lease
            is needed.
    """

    key: str
    trial: Mapping[str, Any]
    data_dir: Path
    running_dir: Path
    checkpoint_dir: Path
    stop_file: Path
    timeout_seconds: float | None = None
    plugins: tuple[str, ...] = ()
    kernels: Kernels = ALL_KERNELS
    prune_file: Path | None = None
    latency: bool = False
    data_digest: str | None = None
    images: str | None = None
    token: str = ""

    @property
    def progress_file(self) -> Path:
        """Where progress is written."""
        return progress_file(self.running_dir, self.key, self.token)

    def lost_its_lease(self) -> bool:
        """Return whether another sweep may have the trial by now."""
        return self.token != "" and not names(
            self.running_dir.parent / LEASES / f"{self.key}.json", self.token
        )


@dataclass(frozen=True)
class TaskOutcome:
    """The outcome of a task: a result or a failure, and where it ran.

    Attributes:
        result: None where the trial failed.
        history: metrics of the finished epochs.
        failure: None where the trial finished.
        environment: where it ran.
        data_digest, data_note: of the prepared data.
        started, finished: ISO 8601 in UTC.
        stopped: whether it was asked to stop before its end, with its state in its checkpoint, or lost its lease.
        seconds: wall time of the attempt in its worker.
        signalled: whether it stopped because a signal asked its worker to end, and is to be continued elsewhere.
        outcomes: the content of the file of its outcomes, whose hash the result has; None where there are none.
    """

    result: TrialResult | None
    history: tuple[EpochMetrics, ...]
    failure: Failure | None
    environment: Mapping[str, Any]
    data_digest: str
    data_note: str
    started: str
    finished: str
    stopped: bool = False
    seconds: float = 0.0
    signalled: bool = False
    outcomes: bytes | None = None
