"""Latency of networks on this machine, timed in turn so that they can be compared."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median, quantiles

import torch
from torch import Tensor, nn

from senet_core.errors import UserError
from senet_core.words import counted

PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16}
WARM_UP = 2
REPETITIONS = 10
LEAST_REPETITIONS = 3
"""Rounds that are timed even where time is limited: below, there is no spread to speak of."""


@dataclass(frozen=True)
class Latency:
    """Forward passes of one network, timed one by one.

    Attributes:
        batch: images in a pass.
        precision: "fp32" or "bf16"; weights and maps are both of this type.
        device: "cpu" or the GPU's name.
        threads: threads that torch was given on the processor.
        milliseconds: of every timed pass, in order; those of the warm-up are not among them.
    """

    batch: int
    precision: str
    device: str
    threads: int
    milliseconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """The median over the passes, in milliseconds."""
        return median(self.milliseconds)

    @property
    def quartiles(self) -> tuple[float, float]:
        """Where the middle half of the passes begins and ends, in milliseconds."""
        if len(self.milliseconds) == 1:
            return self.milliseconds[0], self.milliseconds[0]
        low, _, high = quantiles(self.milliseconds, n=4, method="inclusive")
        return low, high

    def over(self, other: Latency) -> float:
        """Return how much slower this network is than another that was timed in turn with it, in per cent.

        The median over rounds of the ratio within a round: whatever slowed the machine slowed both.
        """
        pairs = zip(self.milliseconds, other.milliseconds, strict=True)
        return 100 * (median(mine / theirs for mine, theirs in pairs) - 1)


def measure_latency(
    models: Mapping[str, nn.Module],
    *,
    batch_shape: tuple[int, int, int, int],
    precision: str = "fp32",
    repetitions: int = REPETITIONS,
    warm_up: int = WARM_UP,
    limit_seconds: float = math.inf,
    threads: int | None = None,
    device: torch.device | None = None,
) -> dict[str, Latency]:
    """Time forward passes of some networks in turn, in evaluation mode and channels_last.

    Args:
        models: by name; they come back on the device, in the precision and in evaluation mode.
        batch_shape: (N, C, H, W) of the images in a pass, at least one, in pixels.
        precision: "fp32" or "bf16".
        repetitions: rounds, at least 1; in each round every network has one pass.
        warm_up: passes of every network before the first round, which are not counted.
        limit_seconds: no further pass of the warm-up after the first, and no further round after the third, is
            begun when so much time has gone by.
        threads: of torch on the processor; None leaves them as they are.
        device: where to compute; the processor if not given.

    Returns:
        The times by the networks' names.

    Raises:
        UserError: an argument is out of range.
    """
    if precision not in PRECISIONS:
        raise UserError(f"precision is one of {', '.join(PRECISIONS)}, got {precision!r}")
    batch = batch_shape[0]
    for name, value, least in (("batch", batch, 1), ("repetitions", repetitions, 1), ("warm_up", warm_up, 0)):
        if value < least:
            raise UserError(f"{name} must be at least {least}, got {value!r}")
    device = device or torch.device("cpu")
    dtype = PRECISIONS[precision]
    images = torch.rand(batch_shape, generator=torch.Generator().manual_seed(0))
    images = images.to(device=device, dtype=dtype, memory_format=torch.channels_last)
    for model in models.values():
        model.to(device=device, dtype=dtype, memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
    times: dict[str, list[float]] = {name: [] for name in models}
    with using_threads(threads), torch.inference_mode():
        end = time.perf_counter() + limit_seconds
        for done in range(warm_up):
            if done == 0 or time.perf_counter() < end:
                for model in models.values():
                    _pass_milliseconds(model, images)
        for done in range(repetitions):
            if done >= LEAST_REPETITIONS and time.perf_counter() >= end:
                break
            for name, model in models.items():
                times[name].append(_pass_milliseconds(model, images))
        used = torch.get_num_threads()
    where = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    return {name: Latency(batch, precision, where, used, tuple(taken)) for name, taken in times.items()}


@contextmanager
def using_threads(threads: int | None) -> Iterator[None]:
    """Set torch's number of threads inside the block; None leaves it."""
    before = torch.get_num_threads()
    if threads is not None:
        torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def summed_up(latencies: Sequence[Latency]) -> str:
    """Return a clause on how latencies were taken: device, threads and repetitions."""
    first = latencies[0]
    threads = counted(first.threads, "thread")
    counts = sorted({len(latency.milliseconds) for latency in latencies})
    passes = " to ".join(map(str, dict.fromkeys((counts[0], counts[-1]))))
    where = f"the processor with {threads}" if first.device == "cpu" else first.device
    return f"on {where}, {passes} passes in turn after a warm-up"


def _pass_milliseconds(model: nn.Module, images: Tensor) -> float:
    _wait_for(images.device)
    started = time.perf_counter()
    model(images)
    _wait_for(images.device)
    return 1000 * (time.perf_counter() - started)


def _wait_for(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
