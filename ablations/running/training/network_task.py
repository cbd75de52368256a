"""NetworkTask: the training of one network, as it is sent to a worker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from ablations.planning.networks.trial import NetworkTrial
from ablations.running.data.paths import prepared_path
from ablations.running.machine.kernels import ALL_KERNELS, Kernels
from ablations.running.trials.task import Task, TaskOutcome
from senet_core.errors import UserError


@dataclass(frozen=True, kw_only=True)
class NetworkTask(Task):
    """The training of one network.

    Attributes:
        data_dir: where the prepared data sets are.
        kernels: which to train with where they are available.
        latency: whether to time one image through the trained network.
        data_digest: of the data that it is to be trained on; None for whatever is there.
        images: where this machine has the images of an image-folder; None for other data.
        keep_weights: whether the outcome has the weights of what was tested.
        processes: that train it together.
    """

    data_dir: Path
    kernels: Kernels = ALL_KERNELS
    latency: bool = False
    data_digest: str | None = None
    images: str | None = None
    keep_weights: bool = False
    processes: int = 1

    def run(self, signalled: Callable[[], bool]) -> TaskOutcome:
        """Train the network, from its newest checkpoint if there is one."""
        # these import torch, which a sweep's own process may not need
        if self.processes > 1:
            from ablations.running.training.processes.launch import run_together

            return run_together(self, signalled)
        from ablations.running.machine.devices import choose_device
        from ablations.running.machine.memory import give_back_memory
        from ablations.running.training.attempt import run_attempt

        outcome = run_attempt(self, signalled)
        if not outcome.spent:
            give_back_memory(choose_device())
        return outcome

    def on_this_node(self, shared_data: Callable[[str], Path] | None) -> NetworkTask:
        """Return the task with the folder of the data on another machine."""
        path = prepared_path(NetworkTrial.from_json(self.trial).data.located(self.images), self.data_dir)
        if path.exists():
            return self
        if shared_data is None:
            raise UserError(
                f"this node does not see the prepared data {path}: give a folder that all nodes share with"
                " `data_dir`, or `ray_data=object-store`"
            )
        return replace(self, data_dir=shared_data(path.name))
