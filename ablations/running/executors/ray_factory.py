"""Executors on a Ray cluster, or on a Ray of this machine's own."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from ablations.running.machine.cores import available_cores
from senet_core.errors import UserError

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from ablations.running.executors.factories import ChooseTrialsPerGpu, ExecutorOptions
    from ablations.running.executors.ray_cluster import Node, Resources
    from ablations.running.executors.ray_data import DataFile
    from ablations.running.trials.inputs import Inputs


class RayFactory:
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
        """See `ExecutorFactory`."""
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
        self._options.check_alone_on_gpu(processes)
        asked = self._options.gpus_per_trial
        if asked not in (None, 0, processes):
            raise UserError(
                f"`gpus_per_trial` is {asked:g}, and a trial of {processes} processes (`processes_per_trial`) needs"
                f" {processes}, or none"
            )
        self._resources = replace(self._resources, cpus=self._options.cpus_per_trial or processes)
        return processes if self._resources.gpus else 0

    def open(self, size: int, inputs: Inputs, warm_up: str, say: Callable[[str], None]) -> Executor:
        """See `ExecutorFactory`."""
        from ablations.running.executors.ray_cluster import connected
        from ablations.running.executors.ray_executor import RayExecutor

        if self._starts_ray:
            here = _this_machine()
            self._stack.enter_context(connected(None, cpus=int(here.cpus), gpus=int(here.gpus)))
        return RayExecutor(self._resources, data=self._data_files(inputs), warm_up=warm_up, say=say)

    def close(self) -> None:
        """See `ExecutorFactory`."""
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
