"""An executor on a Ray cluster: Ray's tasks behind the interface of `concurrent.futures`."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ablations.running.executors.process_pool import NETWORKS, ExecutorLost, WorkerDied
from ablations.running.executors.ray_cluster import Resources, import_ray, nodes_of_cluster
from ablations.running.executors.ray_data import DataFile
from ablations.running.executors.ray_worker import TaskContext, run_on_node
from senet_core.errors import one_line

T = TypeVar("T")

POLL_SECONDS = 0.1
STALL_SECONDS = 60.0
MOST_NODES_LOST = 3
"""A trial that has outlived so many nodes may be what ends them."""


@dataclass(eq=False)
class _RayJob:
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    options: dict[str, Any]
    future: Future[Any] = field(default_factory=Future)
    answers: Any = None  # Ray's generator: first the host, then the result
    host: str | None = None  # None until it has begun
    nodes_lost: int = 0


class RayExecutor(Executor):
    """Run tasks on the cluster that this process is connected to.

    Tasks wait in Ray's own queue, so that nodes which join later take some. A task whose node is lost is submitted
    again and continues from its checkpoint; Ray's own retries are off, as they would also repeat, several times, a task
    that ran out of memory. Only the last attempt's result is taken, so that a task which runs twice (its node was cut
    off, not dead) ends once.

    Args:
        resources: of every task.
        data: the data sets in the object store; none where nodes share their files.
        warm_up: what a worker calls before each task; see `Runner`.
        say: called with a line of text when a node is lost or nothing can run.
        stall_seconds: time without any running task after which `say` is called.
    """

    def __init__(
        self,
        resources: Resources,
        *,
        data: tuple[DataFile, ...] = (),
        warm_up: str = NETWORKS,
        say: Callable[[str], None] = lambda message: None,
        stall_seconds: float = STALL_SECONDS,
    ) -> None:
        self._ray = import_ray()
        self._resources, self._say, self._stall_seconds = resources, say, stall_seconds
        self._context = self._ray.put(TaskContext(resources, os.getcwd(), data, warm_up))
        remote = self._ray.remote(
            num_returns="streaming", max_retries=0, num_cpus=resources.cpus, num_gpus=resources.gpus
        )
        self._task = remote(run_on_node)
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._jobs: dict[Any, _RayJob] = {}
        self._closed = False
        self._last_run, self._stalled = time.monotonic(), False
        self._watcher = threading.Thread(target=self._watch, name="ray-executor", daemon=True)
        self._watcher.start()

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Queue a task; the future raises `WorkerDied` where its process ends first."""
        job = _RayJob(fn, args, kwargs)
        with self._lock:
            if self._closed:
                raise RuntimeError("the executor is closed")
            if not self._jobs:
                self._last_run = time.monotonic()
            self._start(job)
        job.future.add_done_callback(lambda future: self._forget(job) if future.cancelled() else None)
        return job.future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Accept no more tasks; with `cancel_futures`, cancel those that have not begun."""
        with self._lock:
            self._closed = True
            if cancel_futures:
                self.give_up_waiting()
            self._changed.notify_all()
        if wait:
            self._watcher.join()

    def kill(self) -> None:
        """End every task now; its future raises `WorkerDied`."""
        with self._lock:
            self._closed = True
            self.give_up_waiting()
            for job in list(self._jobs.values()):
                self._end(job, error=WorkerDied("the executor was ended"))
            self._changed.notify_all()
        self._watcher.join()

    def kill_task(self, future: Future[Any]) -> None:
        """End one task, on whichever node it is; its future raises `WorkerDied`."""
        with self._lock:
            for job in [job for job in self._jobs.values() if job.future is future]:
                self._end(job, error=WorkerDied("the task was ended"))

    def give_up_waiting(self) -> None:
        """Cancel the tasks that have not begun."""
        with self._lock:
            for job in [job for job in self._jobs.values() if job.host is None]:
                if job.future.cancel():
                    job.future.set_running_or_notify_cancel()  # only then does `wait` take it for done

    def _start(self, job: _RayJob) -> None:
        job.host = None
        job.answers = self._task.remote(self._context, job.function, job.arguments, job.options)
        self._jobs[job.answers] = job
        self._changed.notify_all()

    def _forget(self, job: _RayJob) -> None:
        """Remove a job from Ray's queue, or end it where it runs."""
        with self._lock:
            if self._jobs.pop(job.answers, None) is not None:
                with suppress(self._ray.exceptions.RayError):
                    self._ray.cancel(job.answers, force=True)

    def _end(
        self, job: _RayJob, *, result: Any = None, error: BaseException | None = None, ended: bool = False
    ) -> None:
        """Set a job's result or its error; `ended` where its task has ended by itself.

        To cancel a task that has just ended would kill the worker under its next task.
        """
        if ended:
            self._jobs.pop(job.answers, None)
        self._forget(job)
        with suppress(InvalidStateError):  # given up meanwhile
            if error is not None:
                job.future.set_exception(error)
            else:
                job.future.set_result(result)

    def _watch(self) -> None:
        try:
            self._follow()
        except Exception as error:
            with self._lock:
                self._closed = True
                lost = ExecutorLost(f"Ray cannot be followed any more ({error!r}); the same command goes on")
                for job in list(self._jobs.values()):
                    self._end(job, error=lost)

    def _follow(self) -> None:
        """Follow the tasks until the executor is closed and none is left."""
        while True:
            with self._lock:
                while not self._jobs and not self._closed:
                    self._changed.wait()
                if not self._jobs:
                    return
                waiting = list(self._jobs)
            ready, _ = self._ray.wait(waiting, num_returns=1, timeout=POLL_SECONDS)
            with self._lock:
                for job in [self._jobs[answers] for answers in ready if answers in self._jobs]:
                    self._take(job)
                self._check_stall()

    def _take(self, job: _RayJob) -> None:
        """Take the next answer of a task: that it has begun, its result, or its error."""
        errors = self._ray.exceptions
        try:
            answer = self._ray.get(next(job.answers))
        except errors.RayTaskError as error:
            self._end(job, error=error.cause, ended=True)
        except (errors.NodeDiedError, errors.ObjectLostError) as error:
            self._lost(job, error)
        except (errors.RayError, StopIteration) as error:
            self._end(job, error=WorkerDied(_why(errors, error)), ended=True)
        else:
            if job.host is not None:
                self._end(job, result=answer, ended=True)
                return
            job.host = str(answer)
            if not job.future.running() and not job.future.set_running_or_notify_cancel():
                self._forget(job)

    def _lost(self, job: _RayJob, error: Exception) -> None:
        """Submit a task again whose node was lost."""
        del self._jobs[job.answers]
        job.nodes_lost += 1
        where = f"node {job.host}" if job.host is not None else "a node"
        if job.nodes_lost > MOST_NODES_LOST:
            self._end(job, error=WorkerDied(f"{where} was lost, the {job.nodes_lost}th under this trial"))
            return
        self._say(f"{where} was lost; its trial goes on elsewhere from its checkpoint")
        self._start(job)

    def _check_stall(self) -> None:
        now = time.monotonic()
        if not self._jobs or any(job.host is not None for job in self._jobs.values()):
            self._last_run, self._stalled = now, False
        elif now - self._last_run > self._stall_seconds and not self._stalled:
            self._stalled = True
            self._say(self._stall_text())

    def _stall_text(self) -> str:
        nodes = "; ".join(map(str, nodes_of_cluster()))
        free = self._ray.available_resources()
        return (
            f"no trial has begun for {self._stall_seconds:.0f} s: each asks for {self._resources};"
            f" the cluster has {nodes}, of which {free.get('CPU', 0):g} CPUs and {free.get('GPU', 0):g} GPUs are free"
        )


def _why(errors: Any, error: Exception) -> str:
    """Return why a worker ended, as far as Ray knows."""
    if isinstance(error, errors.OutOfMemoryError):
        return "Ray ended the worker because its node ran out of memory"
    if isinstance(error, (errors.WorkerCrashedError, StopIteration)):
        return "the worker process ended before the trial did (killed, or out of memory)"
    return f"Ray: {one_line(error)[:300]}"
