"""What happens in a worker process: one trial, from its JSON to an outcome. Nothing it raises is lost."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ablations.run.record import EpochMetrics, Failure, TrialResult

ORPHAN_CHECK_SECONDS = 1.0


@dataclass(frozen=True)
class Task:
    """One trial, as it travels to a worker.

    Attributes:
        key: the trial's identity.
        trial: its canonical JSON.
        data_dir: where the prepared data sets are.
        running_dir: where progress is written.
        plugins: plug-in files that the study needs.
    """

    key: str
    trial: Mapping[str, Any]
    data_dir: Path
    running_dir: Path
    plugins: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What came of a task: a result or a failure, and where it ran.

    Attributes:
        result: None where the trial failed.
        history: the epochs that were finished.
        failure: None where the trial finished.
        environment: where it ran.
        data_digest, data_note: of the prepared data.
        started, finished: ISO 8601 in UTC.
    """

    result: TrialResult | None
    history: tuple[EpochMetrics, ...]
    failure: Failure | None
    environment: Mapping[str, Any]
    data_digest: str
    data_note: str
    started: str
    finished: str


def start_worker(threads: int, gpu: int | None) -> None:
    """Prepare a worker process: its share of the cores, its GPU, its signals, and the imports.

    Args:
        threads: threads for torch.
        gpu: the CUDA device to use; None where there is none.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the sweep decides
    if gpu is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = str(gpu)
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    import torch

    import ablations.run.training  # noqa: F401  (imported now, so that the first trial's time is the trial's)

    torch.set_num_threads(threads)


def run_task(task: Task) -> Outcome:
    """Run one trial.

    Returns:
        Its outcome. Whatever goes wrong inside the trial is a failure in the outcome, not an exception.
    """
    import torch

    from ablations.plan.trial import Trial
    from ablations.run.datasets import open_prepared
    from ablations.run.devices import choose_device, choose_precision
    from ablations.run.environment import describe_environment
    from ablations.run.progress import ProgressWriter
    from ablations.run.training import Diverged, Observer, train

    started = _now()
    environment: dict[str, Any] = {}
    history: list[EpochMetrics] = []
    digest = note = ""
    result: TrialResult | None = None
    failure: Failure | None = None
    try:
        _load_plugins(task)
        trial = Trial.from_json(task.trial)
        device = choose_device()
        environment = describe_environment(
            device=device.type if device.type != "cuda" else torch.cuda.get_device_name(device),
            precision=choose_precision(trial.recipe.precision, device),
            threads=torch.get_num_threads(),
        )
        with ProgressWriter(task.running_dir, task.key, environment) as writer:

            def on_epoch(metrics: EpochMetrics) -> None:
                history.append(metrics)
                writer.epoch(metrics)

            data = open_prepared(trial.data, task.data_dir)
            digest, note = data.digest, data.note
            result, _ = train(trial, data, device, Observer(on_epoch, writer.progress))
    except Diverged as error:
        failure = Failure("diverged", str(error), error.epoch or None)
    except (MemoryError, torch.OutOfMemoryError) as error:
        failure = Failure("oom", _one_line(error), len(history) + 1)
    except (
        Exception
    ) as error:  # whatever a network or a plug-in raises is this trial's failure, not the sweep's
        failure = Failure("error", f"{type(error).__name__}: {_one_line(error)}", len(history) + 1)
    return Outcome(result, tuple(history), failure, environment, digest, note, started, _now())


def _load_plugins(task: Task) -> None:
    """Load the plug-ins, and refuse one that changed since the trial was planned."""
    from senet_core.errors import UserError
    from senet_core.plugins import load_installed_plugins, load_plugin_file
    from senet_core.slots import SLOTS

    load_installed_plugins()
    for file in task.plugins:
        load_plugin_file(file)
    for name, digest in task.trial["plugins"].items():
        slot, _, entry = name.partition(":")
        if SLOTS[slot][entry].origin.digest != digest:
            raise UserError(f"the plug-in of {slot} {entry!r} was changed after the study had been read")


def _end_with_parent(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(ORPHAN_CHECK_SECONDS)
    os._exit(1)  # the sweep was killed: nobody is left to take the result


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:500] or type(error).__name__
