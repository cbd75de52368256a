"""Executors of this machine: worker processes on its cores and GPUs, or what a function of the user's makes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from ablations.running.machine.cores import available_cores
from senet_core.errors import UserError

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from ablations.running.executors.factories import ChooseTrialsPerGpu, ExecutorOptions
    from ablations.running.machine.cuda.mps import GpuService
    from ablations.running.trials.inputs import Inputs


class LocalFactory:
    """An executor that is made by a function of the number of trials at a time; else a pool of processes."""

    def __init__(self, options: ExecutorOptions, make: Callable[[int], Executor] | None) -> None:
        self._options, self._make, self._stack = options, make, ExitStack()
        self._gpus: int | None = None
        self._service: GpuService | None = None

    def trials_at_a_time(
        self,
        trials: int,
        gpus: int | None = None,
        choose: ChooseTrialsPerGpu | None = None,
        say: Callable[[str], None] = lambda message: None,
        *,
        processes: int = 1,
    ) -> int:
        """See `ExecutorFactory`."""
        if processes > 1:
            gpus = self._gpus_for(processes)
        self._gpus, asked = gpus, self._options.workers
        if gpus == 0 and processes > 1:
            return min(asked or max(1, available_cores() // processes), trials)
        if gpus is None:
            return worker_count(asked, trials, self._per_gpu(choose, say))
        if gpus == 0:
            return min(asked or available_cores(), trials)
        groups = len(gpu_groups(gpus, by="experiment.gpus" if processes == 1 else "`processes_per_trial`"))
        return min(asked or groups, groups, trials)

    def _gpus_for(self, processes: int) -> int:
        """Return how many GPUs each trial has: one for each process, or none where there is none."""
        from ablations.running.machine.devices import count_gpus

        self._options.check_alone_on_gpu(processes)
        return processes if count_gpus() else 0

    def open(self, size: int, inputs: Inputs, warm_up: str, say: Callable[[str], None]) -> Executor:
        """See `ExecutorFactory`."""
        from ablations.running.executors.gpu_sharing import GpuSharing
        from ablations.running.machine.devices import visible_gpus

        if self._make is not None:
            return self._make(size)
        there = 0 if self._gpus is not None else len(visible_gpus())
        if not 0 < there < size:
            return make_pool(size, warm_up, self._gpus)
        service = self._shared_by(say)
        return make_pool(
            size,
            warm_up,
            sharing=GpuSharing(there, size, service.how, say),
            environment=service.environment,
        )

    def close(self) -> None:
        """See `ExecutorFactory`."""
        self._stack.close()

    def _per_gpu(self, choose: ChooseTrialsPerGpu | None, say: Callable[[str], None]) -> int:
        from ablations.running.executors.process_pool import WorkerPool
        from ablations.running.machine.devices import visible_gpus

        given = self._options.trials_per_gpu
        if isinstance(given, int):
            return given
        gpus = visible_gpus()
        if choose is None or not gpus or self._options.workers is not None:
            return 1

        def on_one(size: int) -> Executor:
            threads = max(1, available_cores() // (size * len(gpus)))
            return WorkerPool(
                size, threads=threads, gpus=gpus[:1], environment=self._shared_by(say).environment
            )

        return choose(on_one, len(gpus))

    def _shared_by(self, say: Callable[[str], None]) -> GpuService:
        """Return how processes share a GPU, for which NVIDIA's service is found or started."""
        from ablations.running.machine.cuda.mps import gpu_service

        if self._service is None:
            self._service = self._stack.enter_context(gpu_service(say))
        return self._service


def worker_count(asked: int | None, trials: int, per_gpu: int = 1) -> int:
    """Return how many trials run at a time: as asked, else `per_gpu` on each GPU or one per core; at most `trials`."""
    from ablations.running.machine.devices import count_gpus

    return min(asked or count_gpus() * per_gpu or available_cores(), trials)


def gpu_groups(size: int, by: str = "experiment.gpus") -> tuple[str, ...]:
    """Return the GPUs of this machine in groups of so many, each as CUDA_VISIBLE_DEVICES names it.

    Args:
        size: of a group.
        by: what asks for it, for the error.

    Raises:
        UserError: there are fewer.
    """
    from ablations.running.machine.devices import visible_gpus

    there = visible_gpus()
    if len(there) < size:
        raise UserError(f"each trial asks for {size} GPUs ({by}), and this machine has {len(there)}")
    return tuple(",".join(there[first : first + size]) for first in range(0, len(there) - size + 1, size))


def make_pool(workers: int, warm_up: str | None = None, gpus: int | None = None, **sharing: Any) -> Executor:
    """Return a pool of worker processes, each with its share of the cores or its GPU.

    Args:
        workers: processes.
        warm_up: what each calls before its first task, see `Runner`; None for the training of networks.
        gpus: of each; None for one where there is any.
        sharing: `sharing` and `environment` of `WorkerPool`, where several share a GPU.
    """
    from ablations.running.executors.process_pool import NETWORKS, WorkerPool
    from ablations.running.machine.devices import visible_gpus

    return WorkerPool(
        workers,
        threads=max(1, available_cores() // workers),
        gpus=visible_gpus() if gpus is None else gpu_groups(gpus) if gpus else ("",),
        warm_up=NETWORKS if warm_up is None else warm_up,
        **sharing,
    )
