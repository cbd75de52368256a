"""The bench's other measures, each by a script under bench/: how busy workers are, and the time to an accuracy."""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ablations.running.executors.process_pool import WORKER_ENVIRONMENT
from bench.timing import Contender, describe_machine, run_script, write_measured

PATIENCE_SECONDS = 6 * 3600.0
PLAIN = Contender("plain-pytorch", "plain PyTorch, fp32", "time_to_accuracy.py", ("--plain",))
OURS = Contender("ours", "ours", "time_to_accuracy.py", environment=tuple(WORKER_ENVIRONMENT.items()))
UNEQUAL = Contender("unequal", "24 unequal trials", "unequal.py")


@dataclass(frozen=True)
class Accuracy:
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
        images: of an epoch; None for the script's own number.
        data: prepared CIFAR-10; None for random images.
        results_dir: holds the folder bench.

    Raises:
        UserError: the script failed, or the file cannot be written.
    """
    given = ["--cores", str(cores), *_options(images, data)]
    load = os.getloadavg()[0]
    found = run_script(UNEQUAL, given, patience_seconds=PATIENCE_SECONDS)
    content = {**describe_machine(), **_conditions(data, load), **found}
    return content, write_measured(content, "unequal", results_dir)


def measure_accuracy(
    asked: Accuracy, results_dir: Path, *, say: Callable[[str], None] = lambda text: None
) -> tuple[dict[str, Any], Path]:
    """Train ours and plain PyTorch in turns, seed by seed; returns what was measured, and the file that holds it.

    The file is written anew after every training, so that an interrupted measurement leaves what it has.

    Raises:
        UserError: a script failed, or the file cannot be written.
    """
    load, runs = os.getloadavg()[0], dict[str, list[dict[str, Any]]]()
    for seed in range(asked.seeds):
        for contender in (PLAIN, OURS):
            given = ["--seed", str(seed), "--target", str(asked.target), "--epochs", str(asked.epochs)]
            answer = run_script(
                contender, [*given, *_options(asked.images, asked.data)], patience_seconds=PATIENCE_SECONDS
            )
            runs.setdefault(contender.name, []).append(answer)
            say(f"seed {seed}: {contender.title}: {_reached(answer, asked.target)}")
            content = {
                **describe_machine(),
                **_conditions(asked.data, load),
                "network": "SE-ResNet-20, r=16",
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
    medians = {
        name: None if None in several else statistics.median(several) for name, several in times.items()
    }
    pairs = list(zip(times.get(PLAIN.name, ()), times.get(OURS.name, ()), strict=False))
    whole = pairs and all(None not in pair for pair in pairs)
    ratio = statistics.median(theirs / mine for theirs, mine in pairs) if whole else None
    return {"median_seconds": medians, "ratio": ratio}


def _options(images: int | None, data: Path | None) -> list[str]:
    given = [] if images is None else ["--images", str(images)]
    return given + ([] if data is None else ["--data", str(data.resolve())])


def _conditions(data: Path | None, load_before: float) -> dict[str, Any]:
    return {
        "data": "random" if data is None else "CIFAR-10",
        "load_before": load_before,
        "load_after": os.getloadavg()[0],
    }


def _reached(answer: Mapping[str, Any], target: float) -> str:
    seconds, accuracy = answer["epochs"][-1]
    if answer["seconds"] is None:
        return f"{accuracy:.1f} % at its end, after {seconds:.0f} s; {target:g} % was not reached"
    return f"{accuracy:.1f} % after {seconds:.0f} s, {len(answer['epochs'])} epochs"
