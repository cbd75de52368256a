"""An executor on this machine: a pool of worker processes behind the interface of `concurrent.futures`."""

from __future__ import annotations

import errno
import multiprocessing
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import psutil

from ablations.running.executors.gpu_sharing import GpuShare, GpuSharing, stopped
from ablations.running.executors.pool_processes import end_at_once, kill_workers, resident_mib
from ablations.running.machine.signals import signals_held_back
from ablations.running.machine.starting import WORKER_ENVIRONMENT, environment_with, without_main_module
from ablations.running.trials.task import TaskOutcome
from ablations.running.trials.worker import start_worker

T = TypeVar("T")

SHARE_OF_MEMORY = 0.6
"""The share of the machine's memory that all workers together may keep between tasks."""

NETWORKS = "ablations.running.training.warm_up:warm_up"
"""What a worker calls before it trains networks."""


class WorkerDied(RuntimeError):
    """The process that ran a task ended before the task did: out of memory, or killed."""


class ExecutorLost(OSError):
    """The executor cannot run anything any more, which is no trial's failure and ends the sweep."""


@dataclass(eq=False)
class _Job:
    call: Callable[[], Any]
    future: Future[Any] = field(default_factory=Future)
    share: GpuShare = field(default_factory=GpuShare)


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
        sharing: where several workers share a GPU: which task begins when, and is begun again where it fails beside
            others; None where none do.
        environment: variables that are set for the workers' processes.
    """

    def __init__(
        self,
        workers: int,
        *,
        threads: int = 1,
        gpus: Sequence[str] = (),
        memory_mib: float | None = None,
        warm_up: str = NETWORKS,
        sharing: GpuSharing[Any] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        share = SHARE_OF_MEMORY * psutil.virtual_memory().total / 2**20 / workers
        self._memory_mib = share if memory_mib is None else memory_mib
        self._threads = threads
        self._gpus = tuple(gpus)
        self._warm_up = warm_up
        self._sharing: GpuSharing[_Job] | None = sharing
        self._environment = {**WORKER_ENVIRONMENT, **(environment or {})}
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
        """Cancel the tasks that have not begun; those that were to begin again end as if they had been stopped."""
        with self._lock:
            jobs = [*self._waiting, *(self._sharing.put_back() if self._sharing is not None else ())]
            self._waiting.clear()
            for job in jobs:
                if job.share.outcome is not None:
                    job.future.set_result(stopped(job))
                    continue
                job.future.cancel()
                job.future.set_running_or_notify_cancel()  # only then does `wait` take it for done

    def _next(self) -> tuple[_Job, int] | None:
        """Take a task and its worker out of the queues; None where no task may begin now."""
        while True:
            if self._sharing is not None:
                chosen = self._sharing.take(self._waiting, self._idle)
            elif self._waiting and self._idle:
                chosen = self._waiting.popleft(), self._idle.popleft()
            else:
                chosen = None
            if chosen is None:
                return None
            job, slot = chosen
            if job.share.outcome is not None or job.future.set_running_or_notify_cancel():
                return chosen
            if self._sharing is not None:
                self._sharing.ended(slot, job, None)
            self._idle.appendleft(slot)

    def _dispatch(self) -> None:
        while (chosen := self._next()) is not None:
            job, slot = chosen
            if self._sharing is not None and job.share.room == 1:
                self._end_idle(slot)  # what they keep of its memory is the task's now
            # a pool starts its process at its first task
            with environment_with(self._environment), without_main_module(), signals_held_back():
                try:
                    inner = self._pool(slot).submit(job.call)
                except BrokenProcessPool:  # its process died while it had nothing to do
                    self._pools.pop(slot).shutdown(wait=False)
                    inner = self._pool(slot).submit(job.call)
                except OSError as error:
                    if (pool := self._pools.pop(slot, None)) is not None:
                        pool.shutdown(wait=False)
                    if self._sharing is not None:
                        self._sharing.ended(slot, job, None)
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
        outcome = None if error is not None else done.result()
        again = ""
        with self._lock:
            if isinstance(error, BrokenProcessPool):
                kill_workers(
                    self._pools.pop(slot), wait=False
                )  # the pool sends SIGTERM, which is left to the sweep
                error = WorkerDied("the worker process ended before the trial did (killed, or out of memory)")
            elif _is_spent(outcome, shares=self._sharing is not None):
                kill_workers(self._pools.pop(slot), wait=False)  # without its GPU it may not end by itself
                if self._sharing is not None:
                    self._end_idle(slot)  # they may have lost it, too
            elif slot in self._pools and resident_mib(self._pools[slot]) > self._memory_mib:
                self._pools.pop(slot).shutdown(wait=False)  # the next task starts a fresh one
            if self._sharing is not None:
                again = self._sharing.ended(slot, job, outcome)
                outcome = self._sharing.described(job, outcome)
            if again == "again":
                self._waiting.appendleft(job)
            else:
                self._idle.append(slot)
            if again and self._closed:
                self.give_up_waiting()
        if error is not None:
            job.future.set_exception(error)
        elif not again:
            job.future.set_result(outcome)
        with self._lock:
            if not self._closed:
                self._dispatch()

    def _end_idle(self, slot: int) -> None:
        """End the processes that have nothing to do on the GPU of a worker, and wait until they have ended."""
        assert self._sharing is not None
        gpu = self._sharing.of(slot)
        ended = [
            pool
            for other in self._idle
            if other != slot
            and self._sharing.of(other) == gpu
            and (pool := self._pools.pop(other, None)) is not None
        ]
        end_at_once(ended)


def _is_spent(outcome: object, *, shares: bool) -> bool:
    """Return whether a process is to end with its task: it lost its GPU, or holds memory that others on it lack."""
    if not isinstance(outcome, TaskOutcome):
        return False
    return outcome.spent or (shares and outcome.failure is not None and outcome.failure.kind == "oom")


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
