"""An executor on this machine: a pool of worker processes behind the interface of `concurrent.futures`."""

from __future__ import annotations

import errno
import multiprocessing
import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import psutil

from ablations.running.machine.signals import signals_held_back
from ablations.running.trials.worker import start_worker

T = TypeVar("T")

_hiding = threading.RLock()

SHARE_OF_MEMORY = 0.6
"""The share of the machine's memory that all workers together may keep between tasks."""

WORKER_ENVIRONMENT = {"MALLOC_MMAP_THRESHOLD_": str(4 << 30), "MALLOC_TRIM_THRESHOLD_": str(16 << 30)}
"""Settings of glibc's malloc, read at process start: feature maps are reused, not given back to the system and
zeroed by it again in every step (docs/performance.md). Another allocator ignores them."""


NETWORKS = "ablations.running.training.warm_up:warm_up"
"""What a worker calls before it trains networks."""


class WorkerDied(RuntimeError):
    """The process that ran a task ended before the task did: out of memory, or killed."""


class ExecutorLost(OSError):
    """The executor cannot run anything any more, which is no trial's failure and ends the sweep."""


@dataclass
class _Job:
    call: Callable[[], Any]
    future: Future[Any] = field(default_factory=Future)


class WorkerPool(Executor):
    """Run tasks in warm worker processes, each with its share of cores or its GPU.

    The standard pool gives up all its tasks when one process dies. Here every worker is a pool of one, so that a
    death costs its own task only, and the worker is replaced; so is one whose task returns a value that says it is
    `spent`, see `TaskOutcome`.

    Args:
        workers: processes, at least 1.
        threads: torch threads of each.
        gpus: CUDA devices to assign in turn, by their names for CUDA_VISIBLE_DEVICES; empty for none.
        memory_mib: resident memory at which a worker is replaced between tasks; None for its share of the machine's.
        warm_up: what each calls before its first task, as "module:function"; empty for nothing.
    """

    def __init__(
        self,
        workers: int,
        *,
        threads: int = 1,
        gpus: Sequence[str] = (),
        memory_mib: float | None = None,
        warm_up: str = NETWORKS,
    ) -> None:
        share = SHARE_OF_MEMORY * psutil.virtual_memory().total / 2**20 / workers
        self._memory_mib = share if memory_mib is None else memory_mib
        self._threads = threads
        self._gpus = tuple(gpus)
        self._warm_up = warm_up
        self._lock = threading.RLock()
        self._waiting: deque[_Job] = deque()
        self._idle = deque(range(workers))
        self._pools: dict[int, ProcessPoolExecutor] = {}
        self._closed = False

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Queue a task; its future raises `WorkerDied` where its process ends first, `ExecutorLost` where none can."""
        job = _Job(partial(fn, *args, **kwargs))
        with self._lock:
            if self._closed:
                raise RuntimeError("the pool is closed")
            self._waiting.append(job)
            self._dispatch()
        return job.future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Accept no more tasks; with `cancel_futures`, cancel those that have not begun."""
        for pool in self._close(cancel_waiting=cancel_futures):
            pool.shutdown(wait=wait, cancel_futures=cancel_futures)

    def kill(self) -> None:
        """End every worker now, whatever it is doing."""
        for pool in self._close(cancel_waiting=True):
            kill_workers(pool)

    def _close(self, *, cancel_waiting: bool) -> list[ProcessPoolExecutor]:
        with self._lock:
            self._closed = True
            if cancel_waiting:
                self.give_up_waiting()
            return list(self._pools.values())

    def give_up_waiting(self) -> None:
        """Cancel the tasks that have not begun."""
        with self._lock:
            while self._waiting:
                future = self._waiting.popleft().future
                future.cancel()
                future.set_running_or_notify_cancel()  # only then does `wait` take it for done

    def _dispatch(self) -> None:
        while self._waiting and self._idle:
            job = self._waiting.popleft()
            if not job.future.set_running_or_notify_cancel():
                continue
            slot = self._idle.popleft()
            # a pool starts its process at its first task
            with environment_with(WORKER_ENVIRONMENT), without_main_module(), signals_held_back():
                try:
                    inner = self._pool(slot).submit(job.call)
                except BrokenProcessPool:  # its process died while it had nothing to do
                    self._pools.pop(slot).shutdown(wait=False)
                    inner = self._pool(slot).submit(job.call)
                except OSError as error:
                    if (pool := self._pools.pop(slot, None)) is not None:
                        pool.shutdown(wait=False)
                    self._idle.append(slot)
                    job.future.set_exception(_not_started(error))
                    continue
            inner.add_done_callback(lambda done, slot=slot, job=job: self._finish(slot, job, done))  # type: ignore[misc]

    def _pool(self, slot: int) -> ProcessPoolExecutor:
        if slot not in self._pools:
            self._pools[slot] = ProcessPoolExecutor(
                1,
                mp_context=multiprocessing.get_context("spawn"),
                initializer=start_worker,
                initargs=(
                    self._threads,
                    self._gpus[slot % len(self._gpus)] if self._gpus else None,
                    self._warm_up,
                ),
            )
        return self._pools[slot]

    def _finish(self, slot: int, job: _Job, done: Future[Any]) -> None:
        error = WorkerDied("the pool was ended") if done.cancelled() else done.exception()
        with self._lock:
            if isinstance(error, BrokenProcessPool):
                kill_workers(
                    self._pools.pop(slot), wait=False
                )  # the pool sends SIGTERM, which is left to the sweep
                error = WorkerDied("the worker process ended before the trial did (killed, or out of memory)")
            elif error is None and getattr(done.result(), "spent", False):
                kill_workers(self._pools.pop(slot), wait=False)  # without its GPU it may not end by itself
            elif slot in self._pools and _resident_mib(self._pools[slot]) > self._memory_mib:
                self._pools.pop(slot).shutdown(wait=False)  # the next task starts a fresh one
            self._idle.append(slot)
        if error is not None:
            job.future.set_exception(error)
        else:
            job.future.set_result(done.result())
        with self._lock:
            if not self._closed:
                self._dispatch()


@contextmanager
def without_main_module() -> Iterator[None]:
    """Keep processes that are started inside the block from running the main script again, as their first act.

    Tasks are functions of this package, and entries of a script's own are refused when a study is planned, so a
    script needs no `if __name__ == "__main__":` around its sweep.
    """
    main = sys.modules["__main__"]
    with _hiding:  # two pools at once would take each other's empty names for the true ones
        names = [name for name in ("__file__", "__spec__") if name in main.__dict__]
        hidden: dict[str, Any] = {name: main.__dict__.pop(name) for name in names}
        main.__spec__ = None
        try:
            yield
        finally:
            main.__dict__.update(hidden)


@contextmanager
def environment_with(variables: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables that are not set yet, for processes that are started inside the block."""
    added = {name: value for name, value in variables.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)


def _not_started(error: OSError) -> WorkerDied | ExecutorLost:
    """Return what a process that cannot be started means: the next one may be, or none can before it is mended."""
    if error.errno in (errno.EAGAIN, errno.ENOMEM):  # too many processes, or no memory, at this moment
        return WorkerDied(f"its process could not be started: {error}")
    of_semaphores = error.errno in (errno.ENOSPC, errno.EROFS, errno.EACCES, errno.ENOENT)
    where = (
        " (it needs semaphores, which are in /dev/shm)" if of_semaphores and sys.platform == "linux" else ""
    )
    return ExecutorLost(
        f"no worker process can be started{where}: {error.strerror or error}; nothing recorded is lost, and the same"
        " command goes on when that is mended"
    )


def _resident_mib(pool: ProcessPoolExecutor) -> float:
    """Return the resident memory of a pool's process."""
    found = 0.0
    for pid in list(pool._processes or {}):
        with suppress(psutil.Error):
            found = max(found, psutil.Process(pid).memory_info().rss / 2**20)
    return found


def kill_workers(pool: ProcessPoolExecutor, *, wait: bool = True) -> None:
    """End a standard pool's processes, and those that they have started, whatever they are doing."""
    processes = list((pool._processes or {}).values())  # there is no public way before Python 3.14
    started = [child for process in processes for child in _started_by(process.pid)]
    for process in processes:
        process.kill()
    for child in started:
        with suppress(psutil.NoSuchProcess):
            child.kill()
    pool.shutdown(wait=wait, cancel_futures=True)


def _started_by(pid: int | None) -> list[psutil.Process]:
    """Return the processes that a process has started, such as a compiler."""
    with suppress(psutil.Error):
        return psutil.Process(pid).children(recursive=True)
    return []
