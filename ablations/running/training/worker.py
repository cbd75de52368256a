"""One trial in a worker process, from its JSON to its outcome, which also has whatever error it raised."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from ablations.running.machine.durable import FULL_OR_FAILING
from ablations.running.machine.kernels import ALL_KERNELS, Kernels
from ablations.running.record.trial_record import EpochMetrics, Failure, Kind, TrialResult
from senet_core.errors import one_line

ORPHAN_CHECK_SECONDS = 1.0
SAME_ENVIRONMENT = (
    "commit",
    "dirty",
    "device",
    "precision",
    "threads",
    "fused",
    "winograd",
    "torch",
    "processor",
)
"""Fields of the environment that must be equal to continue a checkpoint: else the end may differ in the last bits."""


@dataclass(frozen=True)
class Task:
    """One trial, as it is sent to a worker.

    Attributes:
        key: the trial's identity.
        trial: its canonical JSON.
        data_dir: where the prepared data sets are.
        running_dir: where progress is written.
        checkpoint_dir: this trial's own folder for checkpoints.
        stop_file: where it exists, the trial saves its state and stops.
        timeout_seconds: limit of an attempt; None for no limit.
        plugins: plug-in files that the study needs.
        kernels: which to train with where they are available.
        prune_file: where it exists, the trial stops, too; None for a trial that cannot be pruned.
        latency: whether to time one image through the trained network.
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
        stopped: whether it was asked to stop before its end; its state is in its checkpoint.
        seconds: wall time of the attempt in its worker.
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


def start_worker(threads: int, gpu: str | None) -> None:
    """Set up a worker process: its share of the cores, its GPU, its signals, and the imports.

    Args:
        threads: threads for torch.
        gpu: the CUDA device to use, as CUDA_VISIBLE_DEVICES names it; None where there is none.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the sweep decides
    if gpu is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = gpu
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    import torch

    import ablations.running.training.trial_training  # noqa: F401  (imported now, so that the first trial's time is the trial's)

    torch.set_num_threads(threads)


def run_task(task: Task) -> TaskOutcome:
    """Run one trial, from its newest checkpoint if there is one, and return its outcome.

    Any error inside the trial is a failure in the outcome, not an exception.
    """
    import torch

    from ablations.running.training.checkpoint import Stopped, TimedOut
    from ablations.running.training.trainer import Diverged

    attempt = _Attempt(task, _now())
    try:
        attempt.run()
    except Stopped:
        return attempt.outcome(stopped=True)
    except Diverged as error:
        attempt.fail("diverged", error, epoch=error.epoch)
    except TimedOut as error:
        attempt.fail("timeout", error)
    except (MemoryError, torch.OutOfMemoryError) as error:
        attempt.fail("oom", error)
    except (
        Exception
    ) as error:  # whatever a network or plug-in raises is this trial's failure, not the sweep's
        attempt.fail(_kind(error), error, named=True)
    return attempt.outcome()


class _Attempt:
    """One attempt at a trial, and what is known of it so far."""

    def __init__(self, task: Task, started: str) -> None:
        self.task, self.started, self.began = task, started, time.monotonic()
        self.result: TrialResult | None = None
        self.failure: Failure | None = None
        self.history: list[EpochMetrics] = []
        self.environment: dict[str, Any] = {}
        self.digest = self.note = ""

    def run(self) -> None:
        """Train; the checkpoints of a training that diverged are removed."""
        import torch

        from ablations.planning.trial import Trial
        from ablations.running.data import open_prepared
        from ablations.running.machine.devices import choose_device, choose_precision
        from ablations.running.machine.environment import describe_environment
        from ablations.running.training.checkpoint import Checkpoints, Supervisor, any_file_exists
        from ablations.running.training.progress import ProgressWriter
        from ablations.running.training.trainer import Diverged, Observer
        from ablations.running.training.trial_training import train

        task = self.task
        _load_plugins(task)
        trial = Trial.from_json(task.trial)
        device = choose_device()
        precision = choose_precision(trial.recipe.precision, device)
        kernels = task.kernels.available_on(device, precision)
        self.environment = describe_environment(
            device=device.type if device.type != "cuda" else torch.cuda.get_device_name(device),
            precision=precision,
            threads=torch.get_num_threads(),
            kernels=kernels,
        )
        with ProgressWriter(task.running_dir, task.key, self.environment) as writer:

            def on_epoch(metrics: EpochMetrics) -> None:
                self.history.append(metrics)
                writer.epoch(metrics)

            data = open_prepared(trial.data, task.data_dir)
            self.digest, self.note = data.digest, data.note
            same = {name: self.environment[name] for name in SAME_ENVIRONMENT}
            checkpoints = Checkpoints(task.checkpoint_dir, {**same, "data": data.digest})
            stop = any_file_exists(task.stop_file, task.prune_file)
            supervisor = Supervisor(checkpoints, stop=stop, timeout_seconds=task.timeout_seconds)
            try:
                observer = Observer(on_epoch, writer.progress)
                self.result, _ = train(
                    trial, data, device, observer, supervisor, kernels=kernels, latency=task.latency
                )
            except Diverged:
                checkpoints.remove()  # it would diverge again
                raise

    def fail(
        self, kind: Kind, error: BaseException, *, epoch: int | None = None, named: bool = False
    ) -> None:
        """Set the failure, with its reason in one line."""
        text = one_line(error)[:500]
        text = f"{type(error).__name__}: {text}" if named else text
        self.failure = Failure(kind, text, epoch if epoch is not None else len(self.history) + 1)

    def outcome(self, *, stopped: bool = False) -> TaskOutcome:
        """Return the outcome of the attempt."""
        found = self.result, tuple(self.history), self.failure, self.environment, self.digest, self.note
        return TaskOutcome(*found, self.started, _now(), stopped, time.monotonic() - self.began)


def _kind(error: BaseException) -> Kind:
    """Return the kind of an error: a full disk, too little memory (however the error is wrapped), or another."""
    if isinstance(error, OSError) and error.errno in FULL_OR_FAILING:
        return "disk"
    text = str(error).lower()
    if "out of memory" in text or "can't allocate memory" in text or "cannot allocate memory" in text:
        return "oom"
    return "error"


def _load_plugins(task: Task) -> None:
    """Load the plug-ins, and check that none changed since the trial was planned."""
    from ablations.planning.used_plugins import check_plugins
    from senet_core.plugins import load_installed_plugins, load_plugin_file

    load_installed_plugins()
    for file in task.plugins:
        load_plugin_file(file)
    check_plugins(task.trial["plugins"])


def _end_with_parent(parent: int) -> None:
    sweep = multiprocessing.parent_process()
    if sweep is not None:
        wait([sweep.sentinel])  # which also tells of a sweep that died while this process was starting
    while os.getppid() == parent and sweep is None:
        time.sleep(ORPHAN_CHECK_SECONDS)
    os._exit(1)  # the sweep was killed: nobody is left to take the result


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
