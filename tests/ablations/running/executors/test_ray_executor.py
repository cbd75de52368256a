"""Ray's tasks behind the interface of an executor: a death costs one task, a lost node none."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, wait
from pathlib import Path

import pytest
from ray_clusters import SmallCluster, small_cluster
from small import DATA, small_trial

from ablations.running.data import ensure_prepared
from ablations.running.data.paths import prepared_path
from ablations.running.executors.process_pool import WorkerDied
from ablations.running.executors.ray_cluster import Resources, connected, nodes_of_cluster
from ablations.running.executors.ray_data import DataFile
from ablations.running.executors.ray_executor import RayExecutor
from ablations.running.machine.starting import WORKER_ENVIRONMENT
from ablations.running.training.network_task import NetworkTask
from ablations.running.trials.worker import run_task
from senet_core.errors import UserError

PATIENCE_SECONDS = 120.0

pytestmark = pytest.mark.slow  # a cluster of several processes is started


@pytest.fixture(scope="module")
def cluster() -> Iterator[SmallCluster]:
    with small_cluster() as cluster:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)  # Ray's test cluster took it
        with connected(cluster.address):
            yield cluster


@pytest.fixture(scope="module")
def executor(cluster: SmallCluster) -> Iterator[RayExecutor]:
    executor = RayExecutor(Resources())
    yield executor
    executor.shutdown()


def _until(happened: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not happened():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


def test_the_signals_of_a_sweep_stay_its_own(cluster: SmallCluster) -> None:
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_results_and_errors_come_back_as_from_any_executor(executor: RayExecutor) -> None:
    assert executor.submit(divmod, 7, 2).result(PATIENCE_SECONDS) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        executor.submit(divmod, 7, 0).result(PATIENCE_SECONDS)


def test_a_dead_worker_fails_its_own_task_only(executor: RayExecutor) -> None:
    futures = [executor.submit(os._exit, 3), executor.submit(divmod, 7, 2)]
    with pytest.raises(WorkerDied, match="ended before the trial did"):
        futures[0].result(PATIENCE_SECONDS)
    assert futures[1].result(PATIENCE_SECONDS) == (3, 1)


def test_a_task_has_the_pools_allocator_its_threads_and_no_gpu(executor: RayExecutor) -> None:
    import torch

    asked = [executor.submit(os.getenv, name) for name in WORKER_ENVIRONMENT]
    assert [future.result(PATIENCE_SECONDS) for future in asked] == list(WORKER_ENVIRONMENT.values())
    assert executor.submit(torch.get_num_threads).result(PATIENCE_SECONDS) == 1
    assert executor.submit(os.getenv, "CUDA_VISIBLE_DEVICES").result(PATIENCE_SECONDS) == ""
    assert executor.submit(signal.getsignal, signal.SIGINT).result(PATIENCE_SECONDS) == signal.SIG_IGN


def test_what_waits_can_be_given_up_and_what_runs_killed(cluster: SmallCluster, tmp_path: Path) -> None:
    own = RayExecutor(Resources())
    running = own.submit(time.sleep, 600)
    waiting = [own.submit((tmp_path / "begun").touch) for _ in range(2)]
    _until(running.running)
    assert waiting[0].cancel()
    own.give_up_waiting()
    done, _ = wait(waiting[1:], timeout=10)
    assert done == set(waiting[1:])
    with pytest.raises(CancelledError):
        waiting[1].result()
    own.kill_task(running)
    with pytest.raises(WorkerDied, match="the task was ended"):
        running.result(10)
    last = own.submit(time.sleep, 600)
    _until(last.running)
    started = time.monotonic()
    own.kill()
    assert time.monotonic() - started < 20
    assert isinstance(last.exception(10), WorkerDied)
    assert not (tmp_path / "begun").exists()
    with pytest.raises(RuntimeError, match="closed"):
        own.submit(os.getpid)


def test_a_stall_is_said_and_a_lost_node_costs_no_task(cluster: SmallCluster) -> None:
    """Nodes that come later are used, and what was on one that goes runs again."""
    said: list[str] = []
    own = RayExecutor(Resources(cpus=2), say=said.append, stall_seconds=0.5)
    future = own.submit(time.sleep, 2)
    _until(lambda: bool(said))
    assert said[0].startswith("no trial has begun for 0 s: each asks for 2 CPUs and 0 GPUs; the cluster has ")
    assert "1 CPU and 0 GPUs" in said[0]
    node = cluster.add(cpus=2)
    _until(future.running)
    cluster.remove(node)
    _until(lambda: any("was lost; its trial goes on elsewhere" in line for line in said))
    assert not future.done()
    node = cluster.add(cpus=2)
    assert future.result(PATIENCE_SECONDS) is None
    own.shutdown()
    cluster.remove(node)


def test_a_gpu_is_rays_to_deal_out(cluster: SmallCluster) -> None:
    node = cluster.add(cpus=2, gpus=2)
    try:
        assert sum(node.gpus for node in nodes_of_cluster()) == 2
        own = RayExecutor(Resources(gpus=1))
        named = own.submit(os.getenv, "CUDA_VISIBLE_DEVICES").result(PATIENCE_SECONDS)
        assert named in ("0", "1")
        own.shutdown()
    finally:
        cluster.remove(node)


def test_a_node_that_does_not_share_the_folders_is_named(executor: RayExecutor, tmp_path: Path) -> None:
    task = _task(tmp_path)
    with pytest.raises(UserError, match=r"does not see \S+/results/small as the sweep does.*`results_dir`"):
        executor.submit(run_task, task).result(PATIENCE_SECONDS)
    _lease(task)
    with pytest.raises(
        UserError, match=r"does not see the prepared data \S+/digits\.safetensors: .*`data_dir`"
    ):
        executor.submit(run_task, task).result(PATIENCE_SECONDS)


def test_data_reaches_a_node_through_the_object_store(cluster: SmallCluster, tmp_path: Path) -> None:
    import numpy as np
    import ray

    prepared = ensure_prepared(DATA, tmp_path / "mine")
    path = prepared_path(DATA, tmp_path / "mine")
    task = _task(tmp_path)
    _lease(task)
    own = RayExecutor(
        Resources(),
        data=(DataFile(path.name, prepared.digest, ray.put(np.fromfile(path, np.uint8))),),
    )
    outcome = own.submit(run_task, task).result(PATIENCE_SECONDS)
    own.shutdown()
    assert outcome.result is not None, outcome.failure
    assert outcome.data_digest == prepared.digest
    assert not prepared_path(DATA, task.data_dir).exists()


def _task(folder: Path) -> NetworkTask:
    trial, study = small_trial(epochs=1), folder / "results" / "small"
    return NetworkTask(
        key=trial.key,
        trial=trial.to_json(),
        data_dir=folder / "data",
        running_dir=study / "running",
        checkpoint_dir=study / "checkpoints" / trial.key,
        stop_file=study / "running" / "stop",
    )


def _lease(task: NetworkTask) -> None:
    path = task.running_dir.parent / "leases" / f"{task.key}.json"
    path.parent.mkdir(parents=True)
    path.touch()
