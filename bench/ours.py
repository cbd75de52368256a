"""Ours: the sweep's warm workers, one per core, each with a trial of its own; the sum of their throughputs.

`--plain` trains without fused passes.
`--bare` leaves out data, augmentation and checkpoints: the same loop on one batch, over and over.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import setting


def steps_of_a_trial(seed: int, options: Mapping[str, Any]) -> tuple[list[float], list[float], str]:
    """Train one trial in a worker; returns when each step ended, by the system's and the processor's clock."""
    from ablations.plan.recipe import RECIPES
    from ablations.plan.trial import DataSpec, Trial
    from ablations.run.checkpoint import Checkpoints, Keeper
    from ablations.run.devices import choose_device, fuses
    from ablations.run.fitting import Observer
    from ablations.run.training import prepare_fit
    from senet_core import SEVariant

    steps = options["warmup"] + options["steps"]
    recipe = RECIPES["cifar-quick"].model_copy(
        update={"epochs": None, "iterations": steps, "batch_size": options["batch"]}
    )
    trial = Trial("resnet20", SEVariant(), DataSpec(name="cifar10"), recipe, seed)
    device = choose_device()
    fused = not options["plain"] and fuses(device)
    fit = prepare_fit(trial, _data(options["data"]), device, fused=fused)
    if options["bare"]:
        batch = fit.batches.next(fit.batches.side)
        fit.batches.next = lambda size: batch  # type: ignore[method-assign]
    ended: list[float] = []
    spent: list[float] = []

    def note(done: int, total: int) -> None:
        ended.append(time.monotonic())
        spent.append(time.process_time())

    with tempfile.TemporaryDirectory(prefix="ablate-bench-") as folder:
        keeper = Keeper() if options["bare"] else Keeper(Checkpoints(Path(folder), {}))
        fit.run(Observer(progress=note), keeper)
    return ended, spent, f"{fit.precision}, {'fused' if fused else 'plain'} passes"


def _data(path: Path | None) -> Any:
    import torch

    from ablations.run.datasets import Prepared, load

    if path is not None:
        return load(path)
    images, labels = (torch.from_numpy(array) for array in setting.arrays(None))
    grey = (127.5,) * 3
    return Prepared(
        "random",
        images,
        labels,
        images[:100],
        labels[:100],
        tuple("0123456789"),
        grey,
        grey,
        "",
        "",
        "",
        Path(),
    )


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
    from ablations.run.executors import WorkerPool

    options = setting.arguments(__doc__, extra=("--bare", "--plain"))
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
