"""A sweep on Ray ends as it does in the process pool, whatever becomes of its nodes and workers."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ray_clusters import SmallCluster, small_cluster
from small import DATA, Watcher, of_digits, small_study

from ablations.planning.design import Design
from ablations.running.data import ensure_prepared
from ablations.running.executors.process_pool import WorkerPool
from ablations.running.executors.ray_cluster import Resources, connected
from ablations.running.executors.ray_executor import RayExecutor
from ablations.running.machine.kernels import NO_KERNELS
from ablations.running.record.study_paths import StudyPaths
from ablations.running.record.trial_file import TrialFile
from ablations.running.record.trial_record import TrialRecord
from ablations.running.sweep.sweep import sweep
from ablations.running.sweep.values import Settings, SweepOutcome
from ablations.running.training.checkpoint import read_checkpoint

PATIENCE_SECONDS = 600.0
EPOCHS = 240  # some seconds

pytestmark = pytest.mark.slow


@pytest.fixture
def cluster() -> Iterator[SmallCluster]:
    with small_cluster() as cluster, connected(cluster.address):
        yield cluster


def _sweep(
    design: Design,
    folder: Path,
    executor: Callable[[], Executor],
    watcher: Watcher | None = None,
    processes: int = 1,
) -> SweepOutcome:
    settings = Settings(
        data_dir=folder / "data",
        inputs=of_digits(ensure_prepared(DATA, folder / "data").digest),
        workers=2,
        kernels=NO_KERNELS,
        processes=processes,
    )
    paths = StudyPaths(design.study.name, folder / "results", folder / "reports")
    return sweep(design, paths, settings, make_executor=executor, display=watcher or Watcher())


def _same(one: TrialFile, other: TrialFile) -> None:
    assert len(one.lines) == len(other.lines) == len(one.finished)
    assert one.finished.keys() == other.finished.keys()
    for key, line in one.finished.items():
        assert _measured(line) == _measured(other.finished[key])
        assert _losses(line) == _losses(other.finished[key])


def _measured(line: TrialRecord) -> Any:
    assert line.result is not None
    return replace(line.result, train_seconds=0.0, test_seconds=0.0, peak_memory_mib=0.0)


def _losses(line: TrialRecord) -> list[Any]:
    return [replace(epoch, seconds=0.0) for epoch in line.history]


def test_a_sweep_outlives_a_node_and_its_record_is_that_of_the_pool(
    cluster: SmallCluster, tmp_path: Path
) -> None:
    node = cluster.add(cpus=1)
    design = small_study(recipe={**_RECIPE, "epochs": EPOCHS}, axes={}, seeds=1)
    watcher, study = Watcher(), tmp_path / "ray" / "results" / "small"
    saved: dict[str, list[float]] = {}

    def remove_the_node() -> None:
        end = time.monotonic() + PATIENCE_SECONDS
        while len({path.parent for path in study.glob("checkpoints/*/*.pt")}) < 2 and time.monotonic() < end:
            time.sleep(0.05)
        for folder in study.glob("checkpoints/*"):
            state = read_checkpoint(max(folder.glob("*.pt")))["state"]
            saved[folder.name] = [epoch["seconds"] for epoch in state["history"]]
        cluster.remove(node)

    removing = threading.Thread(target=remove_the_node)
    removing.start()
    outcome = _sweep(design, tmp_path / "ray", lambda: RayExecutor(Resources(), say=watcher.say), watcher)
    removing.join()
    assert (outcome.trained, outcome.failed, outcome.left) == (2, 0, 0)
    assert [line for line in watcher.said if "was lost; its trial goes on elsewhere" in line]
    for key, seconds in saved.items():  # what was in the checkpoint was not trained again
        history = outcome.record.finished[key].history
        assert [epoch.seconds for epoch in history[: len(seconds)]] == seconds
    _same(outcome.record.trials, _sweep(design, tmp_path / "pool", lambda: WorkerPool(2)).record.trials)


def test_trials_of_two_processes_are_on_ray_what_they_are_in_the_pool(
    cluster: SmallCluster, tmp_path: Path
) -> None:
    cluster.add(cpus=2)
    design = small_study(axes={}, seeds=1)
    outcome = _sweep(design, tmp_path / "ray", lambda: RayExecutor(Resources(cpus=2)), processes=2)
    assert (outcome.trained, outcome.failed) == (2, 0)
    assert {line.environment["processes"] for line in outcome.record.finished.values()} == {2}
    pool = _sweep(design, tmp_path / "pool", lambda: WorkerPool(1, threads=2), processes=2)
    _same(outcome.record.trials, pool.record.trials)


def test_a_trial_whose_worker_dies_is_a_failure_and_the_sweep_goes_on(
    cluster: SmallCluster, tmp_path: Path
) -> None:
    design = small_study(axes={}, seeds=2)
    killer = _KillFirst(RayExecutor(Resources()))
    outcome = _sweep(design, tmp_path, lambda: killer)
    assert (outcome.trained, outcome.failed) == (3, 1)
    [failed] = outcome.record.failed.values()
    assert failed.failure is not None
    assert failed.failure.kind == "killed"
    assert "ended before the trial did" in failed.failure.message


def test_a_task_that_runs_twice_at_once_commits_once(tmp_path: Path) -> None:
    """As where a node was only cut off: both attempts write progress and checkpoints in the same folders."""
    design = small_study(recipe={**_RECIPE, "epochs": 60}, axes={}, seeds=1)
    outcome = _sweep(design, tmp_path / "twice", lambda: _Twice(WorkerPool(2)))
    assert (outcome.trained, outcome.failed) == (2, 0)
    _same(outcome.record.trials, _sweep(design, tmp_path / "once", lambda: WorkerPool(2)).record.trials)


_RECIPE = {"epochs": 2, "batch_size": 32, "lr": 0.05, "pad": 1, "precision": "fp32"}


class _KillFirst(Executor):
    """Ends the worker of the first task instead of running it."""

    def __init__(self, inner: RayExecutor) -> None:
        self._inner, self._first = inner, True

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        first, self._first = self._first, False
        return self._inner.submit(os._exit, 9) if first else self._inner.submit(fn, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._inner.shutdown(wait, cancel_futures=cancel_futures)


class _Twice(Executor):
    """Runs everything twice at once, and answers with what ends last."""

    def __init__(self, inner: WorkerPool) -> None:
        self._inner = inner

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        both = [self._inner.submit(fn, *args, **kwargs) for _ in range(2)]
        answer: Future[Any] = Future()
        answer.set_running_or_notify_cancel()
        lock = threading.Lock()
        ended: list[Future[Any]] = []

        def one_ended(future: Future[Any]) -> None:
            with lock:
                ended.append(future)
                last = len(ended) == 2
            if last:
                answer.set_result(future.result())

        for future in both:
            future.add_done_callback(one_ended)
        return answer

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._inner.shutdown(wait, cancel_futures=cancel_futures)
