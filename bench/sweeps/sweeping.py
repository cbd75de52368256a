"""A sweep as `ablate run` makes it, with record, MLflow, checkpoints and progress, and the time that trials took."""

from __future__ import annotations

import json
import os
import sys
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from ablations.analysis.results.precision import design_of
from ablations.planning.networks.recipe import Recipe
from ablations.planning.networks.study import network_study
from ablations.planning.study_file import parse_study
from ablations.running.data import ensure_prepared
from ablations.running.data.raw_dataset import from_arrays
from ablations.running.data.writing import write
from ablations.running.executors.process_pool import WorkerPool
from ablations.running.machine.kernels import ALL_KERNELS, Kernels
from ablations.running.record.study_paths import StudyPaths
from ablations.running.record.trial_record import TrialRecord
from bench.contenders import setting

T = TypeVar("T")
TEST_IMAGES = 1_000
"""Of random images; a trial may test on fewer."""


@dataclass(frozen=True)
class Stay:
    """A trial's time in a worker, by the system's clock.

    Attributes:
        worker: its process.
        begun, ended: seconds.
        cpu: processor time in seconds.
    """

    worker: int
    begun: float
    ended: float
    cpu: float


@dataclass(frozen=True)
class Swept:
    """A sweep that has ended.

    Attributes:
        lines: of its record, every one of a finished trial.
        stays: of its trials.
        begun, ended: when it was started, and when it returned: record and MLflow have everything.
        cpu: processor time in seconds that the sweeping process itself took, MLflow's import left out.
        workers: how many there were.
    """

    lines: tuple[TrialRecord, ...]
    stays: tuple[Stay, ...]
    begun: float
    ended: float
    cpu: float
    workers: int


def run_sweep(
    study: Mapping[str, Any], prepared: Path | None, *, workers: int, kernels: Kernels = ALL_KERNELS
) -> Swept:
    """Train every trial of a study in a folder of its own, which is removed.

    Args:
        study: the content of a study file.
        prepared: CIFAR-10; None for random images.
        workers: processes of one thread.
        kernels: which to train with where they can be had.

    Raises:
        SystemExit: a trial failed.
    """
    from rich.console import Console

    from ablations.running.mlflow.tracker import Tracker
    from ablations.running.sweep.display import SweepDisplay
    from ablations.running.sweep.sweep import sweep
    from ablations.running.sweep.values import Settings
    from ablations.running.trials.inputs import InputData, Inputs

    unfolded = design_of(
        parse_study({"name": "bench", "title": "Bench", "question": "How fast?", **study}), None
    )
    with TemporaryDirectory(prefix="ablate-bench-") as name:
        folder, clocks = Path(name), Path(name) / "clocks"
        clocks.mkdir()
        put_images(folder / "cifar10.safetensors", prepared)
        digest = ensure_prepared(network_study(unfolded.study).baseline.data, folder).digest
        tracker = Tracker("bench", None, folder / "results")
        tracker.close_stale()  # imports MLflow and makes its database
        begun, cpu = time.time(), time.process_time()
        with SweepDisplay("bench", Console(file=sys.stderr), metric=unfolded.study.metric) as display:
            outcome = sweep(
                unfolded,
                StudyPaths("bench", folder / "results", folder / "reports"),
                Settings(folder, Inputs({"cifar10": InputData(digest)}), workers, kernels=kernels),
                make_executor=lambda: ClockedPool(workers, clocks),
                display=display,
                open_tracker=lambda: tracker,
            )
        ended, cpu = time.time(), time.process_time() - cpu
        lines = tuple(outcome.record.finished.values())
        stays = tuple(Stay(**json.loads(path.read_text())) for path in clocks.iterdir())
    if outcome.trained < len(unfolded.trials):
        raise SystemExit(f"{len(unfolded.trials) - outcome.trained} of {len(unfolded.trials)} trials failed")
    return Swept(lines, stays, begun, ended, cpu, workers)


def put_images(path: Path, prepared: Path | None) -> None:
    """Make a link to prepared CIFAR-10, or a file of random images."""
    if prepared is not None:
        path.symlink_to(prepared.resolve())
        return
    images, labels = setting.arrays(None)
    some = images[:TEST_IMAGES], labels[:TEST_IMAGES]
    write(path, "cifar10", from_arrays(tuple("0123456789"), (images, labels), some, source="random"))


class ClockedPool(WorkerPool):
    """The sweep's own workers, which note when they work on what."""

    def __init__(self, workers: int, clocks: Path) -> None:
        super().__init__(workers, threads=1)
        self._clocks = clocks

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Queue a task."""
        return super().submit(clocked, self._clocks, fn, *args, **kwargs)


def clocked(clocks: Path, fn: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """Call a function in a worker, and write down how long it took."""
    begun, cpu = time.time(), time.process_time()
    try:
        return fn(*args, **kwargs)
    finally:
        stay = {"worker": os.getpid(), "begun": begun, "ended": time.time(), "cpu": time.process_time() - cpu}
        (clocks / uuid.uuid4().hex).write_text(json.dumps(stay))


def images_seen(line: TrialRecord) -> int:
    """Return the training images that a trial's steps saw, in all epochs."""
    recipe = Recipe.model_validate(line.trial["recipe"])
    return recipe.batch_size * recipe.steps(line.trial["data"]["train_images"] // recipe.batch_size)


def training_rate(swept: Swept, images: int, *, warmup: int) -> float:
    """Return images a second of all workers while they train.

    Args:
        swept: the sweep.
        images: that the steps of an epoch see.
        warmup: epochs at the start of each trial that do not count.
    """
    epochs = [epoch.seconds for line in swept.lines for epoch in line.history[warmup:]]
    return swept.workers * images * len(epochs) / sum(epochs)


def wall_rate(swept: Swept) -> float:
    """Return images a second from the first trial's start to the last one's end, tests and changeovers included."""
    seconds = max(stay.ended for stay in swept.stays) - min(stay.begun for stay in swept.stays)
    return sum(images_seen(line) for line in swept.lines) / seconds


def beside_training(swept: Swept) -> float:
    """Return the seconds of a worker that a trial takes beside its training, until the next begins; the mean.

    They go into opening the data, building the network, the test, counting, and the next trial's arrival. What the
    sweeping process does meanwhile for record and MLflow shows where it takes a worker's core.
    """
    spans = sum(stays[-1].ended - stays[0].begun for stays in _by_worker(swept))
    trained = sum(line.result.train_seconds or 0.0 for line in swept.lines if line.result is not None)
    return (spans - trained) / len(swept.lines)


def shares(swept: Swept) -> dict[str, float]:
    """Return where the time of the workers went, from the sweep's start to its end.

    Returns:
        Wall seconds, and as shares of workers times these: busy with trials; idle before each worker's first trial
        (its start), after its last, and between two.
    """
    wall, by_worker = swept.ended - swept.begun, _by_worker(swept)
    firsts = sorted(stays[0].begun for stays in by_worker)[: swept.workers]
    lasts = sorted(stays[-1].ended for stays in by_worker)[-swept.workers :]
    unused = swept.workers - len(firsts)  # workers that never got a trial wait from start to end
    busy = sum(stay.ended - stay.begun for stay in swept.stays)
    before = sum(first - swept.begun for first in firsts) + unused * wall
    after = sum(swept.ended - last for last in lasts)
    whole = swept.workers * wall
    return {
        "wall_seconds": wall,
        "busy": busy / whole,
        "idle_before": before / whole,
        "idle_between": (whole - busy - before - after) / whole,
        "idle_after": after / whole,
    }


def _by_worker(swept: Swept) -> list[list[Stay]]:
    """Return the stays of each worker, in their order."""
    found: dict[int, list[Stay]] = defaultdict(list)
    for stay in sorted(swept.stays, key=lambda stay: stay.begun):
        found[stay.worker].append(stay)
    return list(found.values())
