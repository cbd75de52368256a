"""Times the steps of any training, and then looks at some of them with the profiler."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile

from bench.gpu.training import wait_for

PROFILED = 10
_STARTS_KERNELS = ("cudaLaunchKernel", "cuLaunchKernel", "cudaGraphLaunch", "cuGraphLaunch")


@dataclass(frozen=True)
class Busy:
    """What the profiler saw, of a step.

    Attributes:
        seconds: in which the GPU computed.
        kernels: that ran on it.
        launches: calls with which the CPU started them: one for a graph of hundreds.
    """

    seconds: float
    kernels: int
    launches: int


class Gauge:
    """Told of every step, it waits for the device where the timed steps begin and end.

    Args:
        device: where the training computes.
        warmup: steps that are not timed.
        steps: that are.

    Attributes:
        seconds: of a timed step, on average; 0 before they are over.
        busy: None before the profiled steps are over, and on a processor.
    """

    def __init__(self, device: torch.device, warmup: int, steps: int) -> None:
        self._device, self._warmup, self._steps = device, warmup, steps
        self._taken, self._began = 0, 0.0
        self._profile: Any = None
        self.seconds, self.busy = 0.0, None if device.type != "cuda" else Busy(0.0, 0, 0)

    @property
    def total(self) -> int:
        """Steps that are to be taken in all."""
        return self._warmup + self._steps + (PROFILED if self._device.type == "cuda" else 0)

    def tick(self) -> None:
        """Note that a step has been taken."""
        self._taken += 1
        if self._taken == self._warmup:
            wait_for(self._device)
            self._began = time.perf_counter()
        elif self._taken == self._warmup + self._steps:
            wait_for(self._device)
            self.seconds = (time.perf_counter() - self._began) / self._steps
            if self._device.type == "cuda":
                self._profile = profile(activities=[ProfilerActivity.CUDA])
                self._profile.__enter__()
        elif self._taken == self.total and self._profile is not None:
            wait_for(self._device)
            self._profile.__exit__(None, None, None)
            self.busy = seen(self._profile.key_averages(), PROFILED)

    def take(self, step: Callable[[], object]) -> None:
        """Take all steps."""
        for _ in range(self.total):
            step()
            self.tick()


def seen(events: Iterable[Any], steps: int) -> Busy:
    """Return what a profile says of one of its steps.

    Args:
        events: averages of the profile, by name.
        steps: that were profiled.
    """
    gpu: Any = torch.autograd.DeviceType.CUDA  # type: ignore[attr-defined]
    on_gpu, launches, seconds = 0, 0, 0.0
    for event in events:
        if event.key.startswith(_STARTS_KERNELS):
            launches += event.count
        # operations and named ranges of PyTorch have the time of their kernels, too
        elif getattr(event, "is_user_annotation", False):
            continue
        elif event.device_type == gpu and event.self_device_time_total > 0:
            on_gpu += event.count
            seconds += event.self_device_time_total / 1e6
    return Busy(seconds / steps, round(on_gpu / steps), round(launches / steps))
