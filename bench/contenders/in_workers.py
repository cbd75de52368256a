"""What `ours --bare` runs in worker processes, which find it by this module's name."""

from __future__ import annotations

import time
from argparse import Namespace

from ablations.running.machine.kernels import Kernels


def steps_of_a_trial(seed: int, options: Namespace, kernels: Kernels) -> tuple[list[float], list[float], str]:
    """Train on one batch in a worker; returns when each step ended, by the system's and the processor's clock."""
    from ablations.running.machine.devices import choose_device
    from ablations.running.training.checkpoint import Supervisor
    from ablations.running.training.trainer import Observer
    from bench.our_training import cifar_quick, images, prepare

    steps = options.warmup + options.steps
    recipe = cifar_quick(epochs=None, iterations=steps, batch_size=options.batch)
    trainer = prepare(images(None, options.batch), recipe, seed, kernels=kernels, device=choose_device())
    batch = trainer.batches.next(trainer.batches.side)
    trainer.batches.next = lambda size: batch  # type: ignore[method-assign]
    ended: list[float] = []
    spent: list[float] = []

    def note(done: int, total: int) -> None:
        ended.append(time.monotonic())
        spent.append(time.process_time())

    trainer.run(Observer(progress=note), Supervisor())
    return ended, spent, described(trainer.precision, trainer.kernels)


def described(precision: str, kernels: Kernels) -> str:
    """Return a precision and the kernels of our own that are on, in words."""
    return ", ".join([precision, *(name for name, on in kernels.to_json().items() if on)])


def ready(worker: int) -> None:
    """Keep a worker for a moment."""
    time.sleep(0.2)  # long enough for every worker to get one
