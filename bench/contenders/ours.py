"""Ours: a sweep as `ablate run` makes it, one worker per core, with record, MLflow, checkpoints and progress.

Each worker trains two trials; an epoch is as long as the steps that are timed, and comes after epochs of warm-up.
`--plain` trains without kernels of our own: without fused passes and Winograd's convolutions.
`--bare` leaves out all but the training loop, on one batch over and over: no data, augmentation, checkpoints, sweep.
"""

from __future__ import annotations

import math
from argparse import Namespace

from ablations.running.machine.kernels import ALL_KERNELS, NO_KERNELS, Kernels
from bench.contenders import setting
from bench.contenders.in_workers import described, ready, steps_of_a_trial
from bench.programs import run_program, tell


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
        precision=described(environment["precision"], Kernels.from_record(environment)),
        wall_images_per_second=sweeping.wall_rate(found),
        seconds_beside_training=sweeping.beside_training(found),
    )


def time_bare_loop(options: Namespace, kernels: Kernels) -> None:
    """Time the training loop alone."""
    from ablations.running.executors.process_pool import WorkerPool

    pool = WorkerPool(options.cores, threads=1)
    try:
        list(pool.map(ready, range(options.cores)))  # the imports are not the loop's
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


def together(ended: list[list[float]], warmup: int, batch: int) -> float:
    """Return images a second of all workers, in the time in which every one was past its warm-up."""
    start, end = max(times[warmup - 1] for times in ended), min(times[-1] for times in ended)
    rates = []
    for times in ended:
        inside = [t for t in times if start <= t <= end]
        rates.append((len(inside) - 1) / (inside[-1] - inside[0]) if len(inside) > 1 else 0.0)
    return batch * sum(rates)


if __name__ == "__main__":
    run_program(main)
