"""The pool runs tasks in processes of their own, and a death costs one task."""

from __future__ import annotations

import errno
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, wait
from typing import Any

import psutil
import pytest

from ablations.running.executors.process_pool import ExecutorLost, WorkerDied, WorkerPool
from ablations.running.machine.starting import WORKER_ENVIRONMENT
from ablations.running.trials.task import TaskOutcome


@pytest.fixture(scope="module")
def pool() -> Iterator[WorkerPool]:
    pool = WorkerPool(2, threads=1)
    yield pool
    pool.shutdown()


def test_results_and_errors_come_back(pool: WorkerPool) -> None:
    assert pool.submit(divmod, 7, 2).result(timeout=60) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        pool.submit(divmod, 7, 0).result(timeout=60)


def test_work_is_spread_over_the_workers_and_they_stay(pool: WorkerPool) -> None:
    first = {future.result(timeout=60) for future in [pool.submit(_slow_pid, 0.5) for _ in range(2)]}
    later = {future.result(timeout=60) for future in [pool.submit(_slow_pid, 0.5) for _ in range(4)]}
    assert len(first) == 2
    assert later == first


def test_a_killed_worker_fails_its_own_task_only(pool: WorkerPool) -> None:
    other = pool.submit(_slow_pid, 1.0)
    killed = pool.submit(os.kill, 0, signal.SIGCONT)  # harmless; fills the second worker's queue in order
    killed.result(timeout=60)
    dying = pool.submit(os._exit, 3)
    with pytest.raises(WorkerDied, match="ended before the trial did"):
        dying.result(timeout=60)
    assert other.result(timeout=60) > 0
    assert {type(future.result(timeout=60)) for future in [pool.submit(os.getpid) for _ in range(3)]} == {int}


def test_a_worker_that_is_killed_while_it_has_nothing_to_do_is_replaced(pool: WorkerPool) -> None:
    pids = {pool.submit(_slow_pid, 0.2).result(timeout=60) for _ in range(4)}
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    until = time.monotonic() + 60
    while sum(bool(inner._broken) for inner in pool._pools.values()) < len(pids) and time.monotonic() < until:
        time.sleep(0.05)  # until the inner pools know, and refuse every task
    assert not pids & {pool.submit(os.getpid).result(timeout=60) for _ in range(4)}


def test_a_worker_that_lost_its_gpu_is_replaced_before_the_next_task() -> None:
    """Its task ends as it says itself; the task behind it runs in another process of the same slot."""
    small = WorkerPool(1, threads=1, warm_up="")
    ended, behind = small.submit(_spent), small.submit(os.getpid)
    assert ended.result(timeout=60).spent
    assert behind.result(timeout=60) != int(ended.result().data_note)
    small.shutdown()


def test_a_process_that_cannot_be_started_fails_the_task_that_waited_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The one that ended just before it keeps its result."""
    small = WorkerPool(1, threads=1)
    ended = small.submit(_slow_pid, 1.0)
    next_one, last = small.submit(divmod, 7, 2), small.submit(divmod, 9, 2)
    real, refused = ProcessPoolExecutor.submit, []

    def refuses_once(self: ProcessPoolExecutor, *args: Any, **kwargs: Any) -> Any:
        if not refused:
            refused.append(args)
            raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")
        return real(self, *args, **kwargs)

    monkeypatch.setattr(ProcessPoolExecutor, "submit", refuses_once)
    assert ended.result(timeout=60)
    with pytest.raises(WorkerDied, match=r"could not be started: .*temporarily unavailable"):
        next_one.result(timeout=60)
    assert last.result(timeout=60) == (4, 1)
    small.shutdown()


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (
            errno.ENOSPC,
            r"semaphores, which are in /dev/shm\): No space left on device; nothing recorded is lost",
        ),
        (
            errno.EROFS,
            r"semaphores, which are in /dev/shm\): Read-only file system; nothing recorded is lost",
        ),
        (errno.EMFILE, "no worker process can be started: Too many open files; nothing recorded is lost"),
    ],
)
def test_where_no_process_can_be_started_the_executor_is_lost_and_no_trial_failed(
    monkeypatch: pytest.MonkeyPatch, number: int, said: str
) -> None:
    def refuses(*_: Any, **__: Any) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(ProcessPoolExecutor, "__init__", refuses)
    pool = WorkerPool(1, threads=1)
    with pytest.raises(ExecutorLost, match=said):
        pool.submit(divmod, 7, 2).result(timeout=60)
    pool.shutdown()


def test_ctrl_c_does_not_reach_the_workers(pool: WorkerPool) -> None:
    def workers() -> set[int]:
        return {each.result(timeout=60) for each in [pool.submit(_slow_pid, 0.5) for _ in range(2)]}

    before = workers()
    for pid in before:
        os.kill(pid, signal.SIGINT)
    assert workers() == before  # one that had died would have been replaced


def test_kill_ends_running_tasks_at_once() -> None:
    pool = WorkerPool(1, threads=1)
    pid = pool.submit(os.getpid).result(timeout=60)
    futures = [pool.submit(time.sleep, 600), pool.submit(time.sleep, 600)]
    started = time.monotonic()
    pool.kill()
    wait(futures, timeout=20)
    assert time.monotonic() - started < 20
    assert futures[1].cancelled()
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    with pytest.raises(RuntimeError, match="closed"):
        pool.submit(os.getpid)


def test_workers_share_the_cores_and_get_their_gpu() -> None:
    pool = WorkerPool(2, threads=3, gpus=("4", "GPU-5"))
    try:
        seen = {future.result(timeout=60) for future in [pool.submit(_share) for _ in range(6)]}
    finally:
        pool.shutdown()
    assert {threads for threads, _ in seen} == {3}
    assert {gpu for _, gpu in seen} <= {"4", "GPU-5"}
    assert len(seen) == 2


def _slow_pid(seconds: float) -> int:
    time.sleep(seconds)
    return os.getpid()


def _share() -> tuple[int, str]:
    import torch

    time.sleep(0.5)
    return torch.get_num_threads(), os.environ["CUDA_VISIBLE_DEVICES"]


def test_workers_get_the_allocators_settings_and_the_user_keeps_his_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "123456")
    monkeypatch.delenv("MALLOC_MMAP_THRESHOLD_", raising=False)
    fresh = WorkerPool(1)
    try:
        theirs = [
            fresh.submit(os.getenv, name).result(timeout=120)
            for name in ("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_")
        ]
    finally:
        fresh.shutdown()
    assert theirs == [WORKER_ENVIRONMENT["MALLOC_MMAP_THRESHOLD_"], "123456"]
    assert "MALLOC_MMAP_THRESHOLD_" not in os.environ


def test_a_worker_that_has_grown_is_replaced_between_tasks() -> None:
    small = WorkerPool(1, memory_mib=1)
    try:
        pids = [small.submit(os.getpid).result(timeout=120) for _ in range(2)]
    finally:
        small.shutdown()
    assert len(set(pids)) == 2
    until = time.monotonic() + 60
    while any(psutil.pid_exists(pid) for pid in pids):
        assert time.monotonic() < until, "the process that was replaced is still there"
        time.sleep(0.05)


def _spent() -> TaskOutcome:
    return TaskOutcome(None, (), None, {}, "", str(os.getpid()), "", "", spent=True)
