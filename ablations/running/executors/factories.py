"""Which executor runs a sweep's trials: worker processes on this machine, Ray, or the user's own."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, Protocol

from ablations.running.executors.custom import import_factory
from ablations.running.machine.cores import available_cores
from senet_core.errors import UserError

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from ablations.running.executors.ray_cluster import Node, Resources
    from ablations.running.executors.ray_data import DataFile
    from ablations.running.machine.cuda.mps import GpuService
    from ablations.running.trials.inputs import Inputs

AUTO: Literal["auto"] = "auto"
RAY = "ray"
ChooseTrialsPerGpu = Callable[[Callable[[int], "Executor"], int], int]
"""Says how many trials are to share a GPU, of what opens so many workers on one of them, and of the number of GPUs."""

_FOR_RAY_ONLY = ("ray_address", "cpus_per_trial", "gpus_per_trial", "ray_data")


@dataclass(frozen=True)
class ExecutorOptions:
    """Where trials run, and how many at a time.

    Attributes:
        executor: None for worker processes on this machine, "ray", a function of the trials at a time that
            returns an executor, or the name of one as `custom` takes it.
        workers: trials at a time; None for as many as the GPUs, or without one the cores, allow.
        trials_per_gpu: trials that share a GPU; "auto" for as many as a probe finds the best.
        ray_address: HOST:PORT of a cluster's head, or "auto"; None for RAY_ADDRESS or else a Ray on this machine.
        cpus_per_trial: cores of each trial on Ray; None for 1.
        gpus_per_trial: GPUs of each trial on Ray; None for 1 / `trials_per_gpu` where any node has one, else 0.
        ray_data: "object-store" sends the prepared data to nodes that do not see its file.
    """

    executor: str | Callable[[int], Executor] | None = None
    workers: int | None = None
    trials_per_gpu: int | Literal["auto"] = 1
    ray_address: str | None = None
    cpus_per_trial: int | None = None
    gpus_per_trial: float | None = None
    ray_data: str | None = None

    def factory(self) -> ExecutorFactory:
        """Return what opens the executor, after checking that it can be had.

        Raises:
            ToolMissing: Ray is not installed.
            UserError: there is no such executor, no machine has what a trial asks for, or an option is for Ray only.
        """
        if self.trials_per_gpu == AUTO and self.executor is not None:
            raise UserError(
                "`trials_per_gpu=auto` is for worker processes on this machine; with another executor give a number"
            )
        if self.executor == RAY:
            return _RayFactory(self)
        for name in _FOR_RAY_ONLY:
            if getattr(self, name) is not None:
                raise UserError(f"{name.replace('_', ' ')} is for the executor 'ray' only")
        if isinstance(self.executor, str):
            return _LocalFactory(self, import_factory(self.executor))
        return _LocalFactory(self, self.executor)


class ExecutorFactory(Protocol):
    """Opens the executor of a sweep."""

    def trials_at_a_time(
        self,
        trials: int,
        gpus: int | None = None,
        choose: ChooseTrialsPerGpu | None = None,
        say: Callable[[str], None] = lambda message: None,
        *,
        processes: int = 1,
    ) -> int:
        """Return how many of so many trials run at a time.

        Args:
            trials: how many there are.
            gpus: that each trial needs; None where it takes what there is.
            choose: says how many share a GPU, where the options leave that to a probe.
            say: as for `open`.
            processes: that run each trial together.

        Raises:
            UserError: no machine has so many, or trials of several processes cannot share a GPU.
        """

    def open(self, size: int, inputs: Inputs, warm_up: str, say: Callable[[str], None]) -> Executor:
        """Return the executor.

        Args:
            size: trials at a time.
            inputs: what the trials read.
            warm_up: what a worker calls before its first trial; see `Runner`.
            say: called with a line of text when something happens to the executor.
        """

    def close(self) -> None:
        """End what was started for the executor."""


class _LocalFactory:
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

        check_alone_on_gpu(self._options, processes)
        return processes if count_gpus() else 0

    def open(self, size: int, inputs: Inputs, warm_up: str, say: Callable[[str], None]) -> Executor:
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


class _RayFactory:
    """An executor on a Ray cluster, or on a Ray that is started on this machine when there is something to train."""

    def __init__(self, options: ExecutorOptions) -> None:
        from ablations.running.executors.ray_cluster import connected, nodes_of_cluster, trials_at_a_time

        self._options, self._stack = options, ExitStack()
        address = options.ray_address or os.environ.get("RAY_ADDRESS")
        self._starts_ray = address is None
        if address is not None:
            self._stack.enter_context(connected(address))
        try:
            nodes = [_this_machine()] if address is None else nodes_of_cluster()
            self._nodes = nodes
            self._resources = _resources(options, nodes)
            self._capacity = trials_at_a_time(self._resources, nodes)
        except BaseException:
            self.close()
            raise

    def trials_at_a_time(
        self,
        trials: int,
        gpus: int | None = None,
        choose: ChooseTrialsPerGpu | None = None,
        say: Callable[[str], None] = lambda message: None,
        *,
        processes: int = 1,
    ) -> int:
        if processes > 1:
            gpus = self._for_processes(processes)
        if gpus is not None and (processes > 1 or self._options.gpus_per_trial is None):
            from ablations.running.executors.ray_cluster import trials_at_a_time

            nodes = [_this_machine()] if self._starts_ray else self._nodes
            self._resources = replace(self._resources, gpus=float(gpus))
            self._capacity = trials_at_a_time(self._resources, nodes)
        return min(self._options.workers or self._capacity, trials)

    def _for_processes(self, processes: int) -> int:
        """Take a core for each process where nothing else is asked for; return how many GPUs each trial has."""
        check_alone_on_gpu(self._options, processes)
        asked = self._options.gpus_per_trial
        if asked not in (None, 0, processes):
            raise UserError(
                f"`gpus_per_trial` is {asked:g}, and a trial of {processes} processes (`processes_per_trial`) needs"
                f" {processes}, or none"
            )
        self._resources = replace(self._resources, cpus=self._options.cpus_per_trial or processes)
        return processes if self._resources.gpus else 0

    def open(self, size: int, inputs: Inputs, warm_up: str, say: Callable[[str], None]) -> Executor:
        from ablations.running.executors.ray_cluster import connected
        from ablations.running.executors.ray_executor import RayExecutor

        if self._starts_ray:
            here = _this_machine()
            self._stack.enter_context(connected(None, cpus=int(here.cpus), gpus=int(here.gpus)))
        return RayExecutor(self._resources, data=self._data_files(inputs), warm_up=warm_up, say=say)

    def close(self) -> None:
        self._stack.close()

    def _data_files(self, inputs: Inputs) -> tuple[DataFile, ...]:
        files = {data.file: data.digest for data in inputs.data.values() if data.file is not None}
        if self._options.ray_data != "object-store" or self._starts_ray or not files:
            return ()  # one machine sees its own files
        import numpy as np
        import ray

        from ablations.running.executors.ray_data import DataFile

        return tuple(
            DataFile(file.name, digest, ray.put(np.fromfile(file, dtype=np.uint8)))
            for file, digest in files.items()
        )


def _resources(options: ExecutorOptions, nodes: list[Node]) -> Resources:
    from ablations.running.executors.ray_cluster import Resources

    gpus = options.gpus_per_trial
    if gpus is None:
        assert isinstance(options.trials_per_gpu, int), "the other is refused before"
        gpus = 1 / options.trials_per_gpu if any(node.gpus for node in nodes) else 0.0
    return Resources(options.cpus_per_trial or 1, gpus)


def _this_machine() -> Node:
    from ablations.running.executors.ray_cluster import Node, import_ray
    from ablations.running.machine.devices import count_gpus

    import_ray()
    return Node(socket.gethostname(), available_cores(), count_gpus())


def worker_count(asked: int | None, trials: int, per_gpu: int = 1) -> int:
    """Return how many trials run at a time: as asked, else `per_gpu` on each GPU or one per core; at most `trials`."""
    from ablations.running.machine.devices import count_gpus

    return min(asked or count_gpus() * per_gpu or available_cores(), trials)


def check_alone_on_gpu(options: ExecutorOptions, processes: int) -> None:
    """Refuse trials of several processes that share a GPU.

    Raises:
        UserError: they are asked for.
    """
    if options.trials_per_gpu != 1:
        raise UserError(
            f"trials of {processes} processes (`processes_per_trial`) have their GPUs to themselves;"
            f" `trials_per_gpu` is {options.trials_per_gpu}"
        )


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
