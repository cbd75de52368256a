"""Ours: a sweep as `ablate run` makes it, one worker per core, with record, MLflow, checkpoints and progress.

Each worker trains two trials; an epoch is as long as the steps that are timed, and comes after epochs of warm-up.
`--plain` trains without kernels of our own: without fused passes and Winograd's convolutions.
`--bare` leaves out all but the training loop, on one batch over and over: no data, augmentation, checkpoints, sweep.
"""

from __future__ import annotations

import math
import tempfile
import time
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import setting

from ablations.running.machine.kernels import ALL_KERNELS, NO_KERNELS, Kernels


def steps_of_a_trial(seed: int, options: Mapping[str, Any]) -> tuple[list[float], list[float], str]:
    """Train on one batch in a worker; returns when each step ended, by the system's and the processor's clock."""
    from ablations.planning.recipe import RECIPES
    from ablations.planning.trial import DataSpec, Trial
    from ablations.running.machine.devices import choose_device, choose_precision
    from ablations.running.training.checkpoint import Supervisor
    from ablations.running.training.trainer import Observer
    from ablations.running.training.trial_training import make_trainer
    from senet_core import SEVariant

    steps = options["warmup"] + options["steps"]
    recipe = RECIPES["cifar-quick"].model_copy(
        update={"epochs": None, "iterations": steps, "batch_size": options["batch"]}
    )
    trial = Trial("resnet20", SEVariant(), DataSpec(name="cifar10"), recipe, seed)
    device = choose_device()
    precision = choose_precision(recipe.precision, device)
    kernels = (NO_KERNELS if options["plain"] else ALL_KERNELS).available_on(device, precision)
    trainer = make_trainer(trial, _random(options["batch"]), device, kernels=kernels)
    batch = trainer.batches.next(trainer.batches.side)
    trainer.batches.next = lambda size: batch  # type: ignore[method-assign]
    ended: list[float] = []
    spent: list[float] = []

    def note(done: int, total: int) -> None:
        ended.append(time.monotonic())
        spent.append(time.process_time())

    trainer.run(Observer(progress=note), Supervisor())
    return ended, spent, _described(trainer.precision, kernels)


def _random(images: int) -> Any:
    from ablations.planning.trial import DataSpec
    from ablations.running.cost.probe import synthetic_data

    return synthetic_data(DataSpec(name="cifar10"), images)


def _described(precision: str, kernels: Kernels) -> str:
    used = [name for name, on in kernels.to_json().items() if on]
    return ", ".join([precision, *used])


def together(ended: list[list[float]], warmup: int, batch: int) -> float:
    """Return images a second of all workers, in the time in which every one was past its warm-up."""
    start, end = max(times[warmup - 1] for times in ended), min(times[-1] for times in ended)
    rates = []
    for times in ended:
        inside = [t for t in times if start <= t <= end]
        rates.append((len(inside) - 1) / (inside[-1] - inside[0]) if len(inside) > 1 else 0.0)
    return batch * sum(rates)


def main() -> None:
    """Train in all workers at once, and time."""
    options = setting.arguments(__doc__, extra=("--bare", "--plain"))
    if options.bare:
        bare(options)
    else:
        swept(options)


def swept(options: Namespace) -> None:
    """Time a sweep: while its workers train, and from its first trial's start to its last one's end."""
    import sweeping

    images, warmup = options.steps * options.batch, math.ceil(options.warmup / options.steps)
    study = {
        "baseline": {
            "backbone": "resnet20",
            "data": {"name": "cifar10", "train_images": images, "test_images": 200},
        },
        "recipe": {"base": "cifar-quick", "epochs": warmup + 1, "batch_size": options.batch},
        "axes": {"repeat": [0, 1]},
        "include_plain": False,
        "seeds": options.cores,
    }
    with tempfile.TemporaryDirectory(prefix="ablate-bench-") as name:
        folder = Path(name)
        data = sweeping.data_folder(options.data, folder)
        found = sweeping.run_sweep(
            study, data, folder, workers=options.cores, kernels=NO_KERNELS if options.plain else ALL_KERNELS
        )
    environment = found.lines[0].environment
    rate, wall = sweeping.training_rate(found, images, warmup=warmup), sweeping.wall_rate(found)
    cpu = found.cpu + sum(stay.cpu for stay in found.stays)
    setting.tell(
        rate,
        1e3 * cpu / sum(map(sweeping.images_seen, found.lines)),
        precision=_described(environment["precision"], Kernels.from_record(environment)),
        wall_images_per_second=wall,
        seconds_beside_training=sweeping.beside_training(found),
    )


def bare(options: Namespace) -> None:
    """Time the training loop alone."""
    from ablations.running.executors.process_pool import WorkerPool

    pool = WorkerPool(options.cores, threads=1)
    try:
        list(pool.map(_ready, range(options.cores)))  # the imports are not the loop's
        found = list(pool.map(steps_of_a_trial, range(options.cores), [vars(options)] * options.cores))
    finally:
        pool.kill()
    ended, spent, how = zip(*found, strict=True)
    cpu = sum(times[-1] - times[options.warmup - 1] for times in spent) / len(spent)
    setting.tell(
        together(list(ended), options.warmup, options.batch),
        1e3 * cpu / (options.steps * options.batch),
        precision=how[0],
    )


def _ready(worker: int) -> None:
    time.sleep(0.2)  # long enough for every worker to get one


if __name__ == "__main__":
    main()
