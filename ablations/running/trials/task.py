"""Task and TaskOutcome: one trial as it is sent to a worker, and what the worker returns."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ablations.running.record.leases import FOLDER as LEASES
from ablations.running.record.leases import names
from ablations.running.record.trial_record import Failure, Result, Step
from ablations.running.trials.progress import progress_file


@dataclass(frozen=True, kw_only=True)
class Task(ABC):
    """One trial, as it is sent to a worker; each kind of experiment has a class of its own.

    Attributes:
        key: the trial's identity.
        trial: its canonical JSON.
        running_dir: the study's folder for running trials.
        checkpoint_dir: this trial's own folder, for what its next attempt goes on from.
        stop_file: where it exists, the trial saves its state and stops.
        timeout_seconds: limit of an attempt; None for no limit.
        plugins: plug-in files that the study needs.
        prune_file: where it exists, the trial stops, too; None for a trial that cannot be pruned.
        token: of the sweep that sends it, in whose name the trial is leased while it runs; empty where no lease is
            needed.
    """

    key: str
    trial: Mapping[str, Any]
    running_dir: Path
    checkpoint_dir: Path
    stop_file: Path
    timeout_seconds: float | None = None
    plugins: tuple[str, ...] = ()
    prune_file: Path | None = None
    token: str = ""

    @abstractmethod
    def run(self, signalled: Callable[[], bool]) -> TaskOutcome:
        """Run the trial, in a worker, and return its outcome, which also has whatever error it raised.

        Args:
            signalled: returns whether a signal has asked this worker to end, which stops the trial.

        Raises:
            UserError: what is no fault of the trial's, and would end the next one likewise: data that are missing, or
                code that was changed.
        """

    def on_this_node(self, shared_data: Callable[[str], Path] | None) -> Task:
        """Return the task with the places of its data on another machine.

        Args:
            shared_data: returns a folder with the file of a name that the sweep has sent along; None where it sent
                none.

        Raises:
            UserError: the data are not there.
        """
        return self

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
        history: its steps: the metrics of finished epochs, or what it reported.
        failure: None where the trial finished.
        environment: where it ran.
        data_digest, data_note: of the prepared data.
        started, finished: ISO 8601 in UTC.
        stopped: whether it was asked to stop before its end, with its state in its checkpoint, or lost its lease.
        seconds: wall time of the attempt in its worker.
        signalled: whether it stopped because a signal asked its worker to end, and is to be continued elsewhere.
        outcomes: the content of the file of its outcomes, whose hash the result has; None where there are none.
        weights: the content of the file of its weights, likewise; None where they are not kept.
        spent: whether its process can run no other, as it has lost its GPU.
    """

    result: Result | None
    history: tuple[Step, ...]
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
    weights: bytes | None = None
    spent: bool = False
