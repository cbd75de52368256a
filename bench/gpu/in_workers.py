"""What the programs of this folder run in worker processes, which find it by this module's name."""

from __future__ import annotations

import time

import torch

from ablations.running.machine.cuda.lost_context import loses_context
from ablations.running.trials.task import TaskOutcome
from bench.gpu.training import device_here, trainer_on, wait_for


def lose_gpu(*, dry: bool) -> TaskOutcome:
    """Read outside of a tensor on the GPU, after which the process cannot use it any more."""
    said, spent = "nothing happened", False
    try:
        if dry:
            raise RuntimeError("CUDA error: device-side assert triggered")
        torch.zeros(3, device="cuda")[torch.tensor([7], device="cuda")].cpu()
    except RuntimeError as error:
        said, spent = str(error).splitlines()[0], loses_context(error)
    return TaskOutcome(None, (), None, {}, "", said, "", "", spent=spent)


def use_gpu(*, dry: bool) -> float:
    """Add two and two on the GPU."""
    return float((torch.full((), 2.0, device=device_here(dry=dry)) + 2).cpu())


def steps_between(asked: tuple[int, str, float, float, bool]) -> tuple[float, float]:
    """Train between two times that all processes share; returns when it was ready, and images a second.

    Args:
        asked: images in a step, precision, when to begin by the system's clock, for how many seconds, whether dry.
    """
    batch, precision, start, seconds, dry = asked
    device = device_here(dry=dry)
    trainer = trainer_on(device, count=10 * batch, precision=precision, batch_size=batch)
    for _ in range(2 if dry else 20):
        trainer._advance(0.01)
    wait_for(device)
    ready, steps = time.time(), 0
    time.sleep(max(0.0, start - ready))
    begun = time.perf_counter()
    while time.perf_counter() - begun < seconds:
        trainer._advance(0.01)
        wait_for(device)  # else a process would ask for more than it can do in the time
        steps += 1
    return ready, batch * steps / (time.perf_counter() - begun)


def ready(worker: int) -> None:
    """Keep a worker for a moment."""
    time.sleep(0.2)  # long enough for every worker to get one
