"""Where a sweep's trials run, as the command line says it: worker processes here, Ray, or an executor of the user's."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from senet_core.errors import UserError

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from ablations.running.data.prepared import Prepared
    from ablations.running.executors.ray_cluster import Needs, Node
    from ablations.running.executors.ray_worker import DataFile

RAY = "ray"


@dataclass(frozen=True)
class AskedWorkplace:
    """What was typed of it: one field for each option of `options.workplace_options`."""

    executor: str | None = None
    workers: int | None = None
    trials_per_gpu: int = 1
    ray_address: str | None = None
    cpus_per_trial: int | None = None
    gpus_per_trial: float | None = None
    ray_data: str | None = None

    def open(self) -> Workplace:
        """Find it; what cannot be had is said here, before anything is prepared or trained.

        Raises:
            UserError: there is no such executor, or no machine has what a trial asks for.
        """
        if self.executor == RAY:
            return _OnRay(self)
        for name in ("ray_address", "cpus_per_trial", "gpus_per_trial", "ray_data"):
            if getattr(self, name) is not None:
                raise UserError(f"--{name.replace('_', '-')} goes with --executor ray only")
        return _Here(self) if self.executor is None else _UsersOwn(self)


class Workplace(Protocol):
    """Where trials run."""

    def size(self, trials: int) -> int:
        """Say how many run at a time, no more than there are."""

    def executor(self, size: int, prepared: Path, data: Prepared, say: Callable[[str], None]) -> Executor:
        """Open it for so many at a time.

        Args:
            size: trials at a time.
            prepared: the prepared file of the study's data.
            data: its content.
            say: told in a line of what befalls it.
        """

    def close(self) -> None:
        """End what was started for it."""


class _Here:
    """Worker processes on this machine."""

    def __init__(self, asked: AskedWorkplace) -> None:
        self._asked = asked

    def size(self, trials: int) -> int:
        return worker_count(self._asked.workers, trials, self._asked.trials_per_gpu)

    def executor(self, size: int, prepared: Path, data: Prepared, say: Callable[[str], None]) -> Executor:
        return make_pool(size)

    def close(self) -> None:
        pass


class _UsersOwn(_Here):
    """An executor of the user's own."""

    def __init__(self, asked: AskedWorkplace) -> None:
        from ablations.running.executors.custom import find_factory

        super().__init__(asked)
        self._factory = find_factory(asked.executor or "")

    def executor(self, size: int, prepared: Path, data: Prepared, say: Callable[[str], None]) -> Executor:
        return self._factory(size)


class _OnRay:
    """A Ray cluster, or a Ray of the sweep's own on this machine, which is started when there is something to train."""

    def __init__(self, asked: AskedWorkplace) -> None:
        from ablations.running.executors.ray_cluster import connected, nodes_of_cluster, trials_at_a_time

        self._asked, self._open = asked, ExitStack()
        address = asked.ray_address or os.environ.get("RAY_ADDRESS")
        self._own = address is None
        if address is not None:
            self._open.enter_context(connected(address))
        try:
            nodes = [_this_machine()] if address is None else nodes_of_cluster()
            self._needs = _needs(asked, nodes)
            self._fit = trials_at_a_time(self._needs, nodes)
        except BaseException:
            self.close()
            raise

    def size(self, trials: int) -> int:
        return min(self._asked.workers or self._fit, trials)

    def executor(self, size: int, prepared: Path, data: Prepared, say: Callable[[str], None]) -> Executor:
        from ablations.running.executors.ray_cluster import connected
        from ablations.running.executors.ray_executor import RayExecutor

        if self._own:
            here = _this_machine()
            self._open.enter_context(connected(None, cpus=int(here.cpus), gpus=int(here.gpus)))
        return RayExecutor(self._needs, data=self._data_file(prepared, data), say=say)

    def close(self) -> None:
        self._open.close()

    def _data_file(self, prepared: Path, data: Prepared) -> DataFile | None:
        if self._asked.ray_data != "object-store" or self._own:
            return None  # one machine sees its own file
        import numpy as np
        import ray

        from ablations.running.executors.ray_worker import DataFile

        return DataFile(prepared.name, data.digest, ray.put(np.fromfile(prepared, dtype=np.uint8)))


def _needs(asked: AskedWorkplace, nodes: list[Node]) -> Needs:
    """Take what was asked for; a GPU, or its share, is asked for where any node has one and nothing else was said."""
    from ablations.running.executors.ray_cluster import Needs

    gpus = asked.gpus_per_trial
    if gpus is None:
        gpus = 1 / asked.trials_per_gpu if any(node.gpus for node in nodes) else 0.0
    return Needs(asked.cpus_per_trial or 1, gpus)


def _this_machine() -> Node:
    import socket

    from ablations.running.executors.ray_cluster import Node, import_ray
    from ablations.running.machine.devices import count_gpus
    from ablations.running.machine.environment import available_cores

    import_ray()
    return Node(socket.gethostname(), available_cores(), count_gpus())


def worker_count(asked: int | None, trials: int, per_gpu: int = 1) -> int:
    """Say how many trials run at a time: as asked, else so many per GPU or one per core; no more than there are."""
    from ablations.running.machine.devices import count_gpus
    from ablations.running.machine.environment import available_cores

    return min(asked or count_gpus() * per_gpu or available_cores(), trials)


def make_pool(workers: int) -> Executor:
    """Open worker processes, each with its share of the cores or its GPU."""
    from ablations.running.executors.process_pool import WorkerPool
    from ablations.running.machine.devices import visible_gpus
    from ablations.running.machine.environment import available_cores

    return WorkerPool(workers, threads=max(1, available_cores() // workers), gpus=visible_gpus())
