"""Ours: a sweep as `ablate run` makes it, one worker per core, with record, MLflow, checkpoints and progress.

Each worker trains two trials; an epoch is as long as the steps that are timed, and comes after epochs of warm-up.
`--plain` trains without kernels of our own: without fused passes and Winograd's convolutions.
`--bare` leaves out all but the training loop, on one batch over and over: no data, augmentation, checkpoints, sweep.
"""

from __future__ import annotations

import math
import time
from argparse import Namespace

from ablations.running.machine.kernels import ALL_KERNELS, NO_KERNELS, Kernels
from bench.contenders import setting
from bench.programs import tell


def main() -> None:
    """Train in all workers at once, and time."""
    options = setting.arguments(__doc__, switches=("--bare", "--plain"))
    kernels = NO_KERNELS if options.plain else ALL_KERNELS
    (time_bare_loop if options.bare else time_sweep)(options, kernels)


def time_sweep(options: Namespace, kernels: Kernels) -> None:
    """Time a sweep: while its workers train, and from its first trial's start to its last one's end."""
    from bench.sweeps import sweeping

    images, warmup = options.steps * options.batch, math.ceil(options.warmup / options.steps)
    data = {"name": "cifar10", "train_images": images, "test_images": 200}
    study = {
        "baseline": {"backbone": "resnet20", "data": data},
        "recipe": {"base": "cifar-quick", "epochs": warmup + 1, "batch_size": options.batch},
        "axes": {"repeat": [0, 1]},
        "include_plain": False,
        "seeds": options.cores,
    }
    found = sweeping.run_sweep(study, options.data, workers=options.cores, kernels=kernels)
    environment = found.lines[0].environment
    cpu = found.cpu + sum(stay.cpu for stay in found.stays)
    tell(
        images_per_second=sweeping.training_rate(found, images, warmup=warmup),
        cpu_ms_per_image=1e3 * cpu / sum(map(sweeping.images_seen, found.lines)),
        precision=_described(environment["precision"], Kernels.from_record(environment)),
        wall_images_per_second=sweeping.wall_rate(found),
        seconds_beside_training=sweeping.beside_training(found),
    )


def time_bare_loop(options: Namespace, kernels: Kernels) -> None:
    """Time the training loop alone."""
    from ablations.running.executors.process_pool import WorkerPool

    pool = WorkerPool(options.cores, threads=1)
    try:
        list(pool.map(_ready, range(options.cores)))  # the imports are not the loop's
        each = [[value] * options.cores for value in (options, kernels)]
        found = list(pool.map(steps_of_a_trial, range(options.cores), *each))
    finally:
        pool.kill()
    ended, spent, how = zip(*found, strict=True)
    cpu = sum(times[-1] - times[options.warmup - 1] for times in spent) / len(spent)
    tell(
        images_per_second=together(list(ended), options.warmup, options.batch),
        cpu_ms_per_image=1e3 * cpu / (options.steps * options.batch),
        precision=how[0],
    )


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
    return ended, spent, _described(trainer.precision, trainer.kernels)


def together(ended: list[list[float]], warmup: int, batch: int) -> float:
    """Return images a second of all workers, in the time in which every one was past its warm-up."""
    start, end = max(times[warmup - 1] for times in ended), min(times[-1] for times in ended)
    rates = []
    for times in ended:
        inside = [t for t in times if start <= t <= end]
        rates.append((len(inside) - 1) / (inside[-1] - inside[0]) if len(inside) > 1 else 0.0)
    return batch * sum(rates)


def _described(precision: str, kernels: Kernels) -> str:
    return ", ".join([precision, *(name for name, on in kernels.to_json().items() if on)])


def _ready(worker: int) -> None:
    time.sleep(0.2)  # long enough for every worker to get one


if __name__ == "__main__":
    main()
