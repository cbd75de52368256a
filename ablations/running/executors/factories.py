"""Which executor runs a sweep's trials: worker processes on this machine, Ray, or the user's own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from ablations.running.executors.custom import import_factory
from senet_core.errors import UserError
from senet_core.given import check_whole_number

if TYPE_CHECKING:
    from concurrent.futures import Executor

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

    def __post_init__(self) -> None:
        """Refuse what is out of range before anything is opened.

        Raises:
            UserError: an option has another type or is out of range.
        """
        if self.executor is not None and not isinstance(self.executor, str) and not callable(self.executor):
            raise UserError(
                "`executor` is 'ray', a function of the trials at a time that returns an executor, or the name of one,"
                f" got {self.executor!r}"
            )
        for name in ("workers", "trials_per_gpu", "cpus_per_trial"):
            value = getattr(self, name)
            if value not in (None, AUTO):
                check_whole_number(f"`{name}`", value)

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
            from ablations.running.executors.ray_factory import RayFactory

            return RayFactory(self)
        for name in _FOR_RAY_ONLY:
            if getattr(self, name) is not None:
                raise UserError(f"{name.replace('_', ' ')} is for the executor 'ray' only")
        from ablations.running.executors.local_factory import LocalFactory

        if isinstance(self.executor, str):
            return LocalFactory(self, import_factory(self.executor))
        return LocalFactory(self, self.executor)

    def check_alone_on_gpu(self, processes: int) -> None:
        """Refuse trials of several processes that share a GPU.

        Raises:
            UserError: they are asked for.
        """
        if self.trials_per_gpu != 1:
            raise UserError(
                f"trials of {processes} processes (`processes_per_trial`) have their GPUs to themselves;"
                f" `trials_per_gpu` is {self.trials_per_gpu}"
            )


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
