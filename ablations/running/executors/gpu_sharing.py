"""Which worker takes which task where several share a GPU, and what becomes of one that fails beside others."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Protocol, TypeVar

from ablations.running.trials.task import TaskOutcome
from senet_core.words import counted

TRIALS_PER_GPU, HOW_SHARED = "trials_per_gpu", "gpu_sharing"
"""Fields of the environment of a trial that shared its GPU: with how many at the most, itself included, and how."""


@dataclass
class GpuShare:
    """What a task has to do with the GPU that it shares; changed at each of its attempts.

    Attributes:
        room: tasks that may run at once on its GPU, itself included; 1 where it runs alone.
        beside: whether another task ran there during the attempt.
        lacked: attempts that ended for want of memory beside others.
        outcome: of the last attempt, where it is to run again.
    """

    room: int = 1
    beside: bool = False
    lacked: int = 0
    outcome: TaskOutcome | None = None


J = TypeVar("J", bound="HasShare")


class HasShare(Protocol):
    """A task of an executor, with its share of a GPU."""

    share: GpuShare


@dataclass
class _Gpu(Generic[J]):
    room: int
    running: dict[int, J] = field(default_factory=dict)
    alone: deque[J] = field(default_factory=deque)
    taken_alone: bool = False


class GpuSharing(Generic[J]):
    """Several tasks at once on each GPU.

    A task that lacks memory beside others has not failed yet. It is run again with one task fewer at once on its GPU,
    which stays so; if it then lacks memory again, alone. So is one that lost its GPU beside others: with NVIDIA's
    Multi-Process Service a fault of one process is that of all on the GPU. What fails alone has failed.

    Args:
        gpus: their number.
        workers: worker processes; number `w` uses GPU `w % gpus`.
        how: returns how the GPUs are shared, in a word for the record.
        say: called with a line of text when a task is put back.
    """

    def __init__(
        self,
        gpus: int,
        workers: int,
        how: Callable[[], str] = lambda: "",
        say: Callable[[str], None] = lambda message: None,
    ) -> None:
        self._gpus: list[_Gpu[J]] = [_Gpu(len(range(number, workers, gpus))) for number in range(gpus)]
        self._how, self._say = how, say

    def of(self, worker: int) -> int:
        """Return the number of a worker's GPU."""
        return worker % len(self._gpus)

    def take(self, waiting: deque[J], idle: deque[int]) -> tuple[J, int] | None:
        """Take out of the queues a task that may begin, and its worker; None where none may.

        Args:
            waiting: tasks, the next one first.
            idle: workers, the one that has been idle for longest first.
        """
        for worker in idle:
            gpu = self._gpus[self.of(worker)]
            alone = bool(gpu.alone)
            if gpu.taken_alone or (alone and gpu.running) or not (alone or waiting):
                continue
            if len(gpu.running) >= gpu.room:
                continue
            job = (gpu.alone if alone else waiting).popleft()
            idle.remove(worker)
            self._begin(gpu, worker, job, alone=alone)
            return job, worker
        return None

    def ended(self, worker: int, job: J, outcome: object) -> str:
        """Note that an attempt at a task has ended.

        Args:
            worker: which ran it.
            job: the task.
            outcome: what it returned; None where it raised.

        Returns:
            What is to be done: "" nothing, its outcome is its end; "again" it is to wait with the others, and its
            worker is needed no more; "alone" it waits here until its GPU has nothing else to do.
        """
        gpu = self._gpus[self.of(worker)]
        gpu.running.pop(worker, None)
        gpu.taken_alone = False
        if not isinstance(outcome, TaskOutcome) or not job.share.beside or not _may_be_the_others(outcome):
            return ""
        job.share.outcome = outcome
        number = self.of(worker)
        if outcome.spent:
            self._say(
                f"GPU {number} was lost with {counted(job.share.room, 'trial')} on it; a trial is begun again"
            )
        else:
            job.share.lacked += 1
            if job.share.lacked == 1 and gpu.room > 1:
                gpu.room -= 1
                before = counted(job.share.room, "trial")
                self._say(
                    f"GPU {number} had too little memory for {before} at once: a trial is begun again, and {gpu.room}"
                    " at once run there from now on"
                )
                return "again"
            self._say(
                f"GPU {number} had too little memory for a trial beside others: it is begun again, alone"
            )
        gpu.alone.append(job)
        return "alone"

    def put_back(self) -> list[J]:
        """Return the tasks that wait until they can run alone, and forget them."""
        found = [job for gpu in self._gpus for job in gpu.alone]
        for gpu in self._gpus:
            gpu.alone.clear()
        return found

    def described(self, job: J, outcome: Any) -> Any:
        """Return the outcome of a task with what its environment says of the sharing; nothing where it ran alone."""
        if not isinstance(outcome, TaskOutcome) or job.share.room < 2 or not outcome.environment:
            return outcome
        shared: Mapping[str, Any] = {TRIALS_PER_GPU: job.share.room, HOW_SHARED: self._how()}
        return replace(outcome, environment={**outcome.environment, **shared})

    def _begin(self, gpu: _Gpu[J], worker: int, job: J, *, alone: bool) -> None:
        gpu.taken_alone = alone
        gpu.running[worker] = job
        job.share.room = 1 if alone else gpu.room
        job.share.beside = len(gpu.running) > 1
        if job.share.beside:
            for other in gpu.running.values():
                other.share.beside = True


def stopped(job: HasShare) -> TaskOutcome:
    """Return the outcome of a task that was to run again and cannot any more: as of one that was asked to stop."""
    assert job.share.outcome is not None, "it has run"
    return replace(job.share.outcome, result=None, failure=None, stopped=True, spent=False)


def _may_be_the_others(outcome: TaskOutcome) -> bool:
    return outcome.failure is not None and (outcome.failure.kind == "oom" or outcome.spent)
