"""The bench's other measures, each by a program: how busy a sweep's workers are, and the time to an accuracy."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from ablations.running.machine.starting import WORKER_ENVIRONMENT
from bench.contenders.entries import Contender, run_program
from bench.throughput import NETWORK, describe_machine, images_of, write_measured

PATIENCE_SECONDS = 6 * 3600.0
_ACCURACY = "bench.contenders.time_to_accuracy"
PLAIN = Contender("plain-pytorch", "plain PyTorch, fp32", _ACCURACY, ("--plain",))
OURS = Contender("ours", "ours", _ACCURACY, environment=WORKER_ENVIRONMENT)
UNEQUAL = Contender("unequal", "24 unequal trials", "bench.sweeps.unequal")


@dataclass(frozen=True)
class AccuracyCourse:
    """What is asked of a race to an accuracy.

    Attributes:
        target: test accuracy in per cent.
        epochs: of the recipe.
        seeds: trainings of each contender.
        images: of an epoch; None for all.
        data: prepared CIFAR-10; None for random images, to try the bench.
    """

    target: float
    epochs: float
    seeds: int
    images: int | None
    data: Path | None


def measure_unequal(
    cores: int, images: int | None, data: Path | None, results_dir: Path
) -> tuple[dict[str, Any], Path]:
    """Train 24 unequal trials in a sweep; returns what was measured, and the file that holds it.

    Args:
        cores: workers.
        images: of an epoch; None for the program's own number.
        data: prepared CIFAR-10; None for random images.
        results_dir: holds the folder bench.

    Raises:
        UserError: the program failed, or the file cannot be written.
    """
    load = os.getloadavg()[0]
    found = _run(UNEQUAL, data, cores=cores, images=images)
    content = {**describe_machine(load), "data": images_of(data), **found}
    return content, write_measured(content, "unequal", results_dir)


def measure_accuracy(
    asked: AccuracyCourse, results_dir: Path, *, say: Callable[[str], None] = lambda text: None
) -> tuple[dict[str, Any], Path]:
    """Train ours and plain PyTorch in turns, seed by seed; returns what was measured, and the file that holds it.

    The file is written anew after every training, so that an interrupted measurement leaves what it has.

    Raises:
        UserError: a program failed, or the file cannot be written.
    """
    load, runs = os.getloadavg()[0], dict[str, list[dict[str, Any]]]()
    options = {"target": asked.target, "epochs": asked.epochs, "images": asked.images}
    for seed in range(asked.seeds):
        for contender in (PLAIN, OURS):
            answer = _run(contender, asked.data, seed=seed, **options)
            runs.setdefault(contender.name, []).append(answer)
            say(f"seed {seed}: {contender.title}: {_reached(answer, asked.target)}")
            content = {
                **describe_machine(load),
                "data": images_of(asked.data),
                "network": NETWORK,
                "recipe": "cifar-quick",
                "cores_used": 1,
                "target_accuracy": asked.target,
                "recipe_epochs": asked.epochs,
                "train_images": asked.images,
                "runs": runs,
                **compare_times(runs),
            }
            path = write_measured(content, "time_to_accuracy", results_dir)
    return content, path


def compare_times(runs: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
    """Compare the contenders seed by seed.

    Args:
        runs: by contender, one for each seed.

    Returns:
        Median seconds of each contender, None where a run did not come to the accuracy, and the ratio: the median over
        seeds of the plain time by ours, None where a time is missing.
    """
    times = {name: [run["seconds"] for run in several] for name, several in runs.items()}
    medians = {name: None if None in several else median(several) for name, several in times.items()}
    pairs = list(zip(times.get(PLAIN.name, ()), times.get(OURS.name, ()), strict=False))
    whole = pairs and all(None not in pair for pair in pairs)
    return {
        "median_seconds": medians,
        "ratio": median(theirs / mine for theirs, mine in pairs) if whole else None,
    }


def _run(contender: Contender, data: Path | None, **options: object) -> dict[str, Any]:
    prepared = None if data is None else data.resolve()
    return run_program(contender, patience_seconds=PATIENCE_SECONDS, data=prepared, **options)


def _reached(answer: Mapping[str, Any], target: float) -> str:
    seconds, accuracy = answer["epochs"][-1]
    if answer["seconds"] is None:
        return f"{accuracy:.1f} % at its end, after {seconds:.0f} s; {target:g} % was not reached"
    return f"{accuracy:.1f} % after {seconds:.0f} s, {len(answer['epochs'])} epochs"
