"""The throughput of our training and its peers, timed in turns on one machine, and the record of it."""

from __future__ import annotations

import json
import os
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path
from statistics import median
from typing import Any

from ablations.running.machine.code_version import code_version
from ablations.running.machine.cores import available_cores
from ablations.running.machine.durable import not_written, write_durably
from ablations.running.machine.packages import package_version
from ablations.running.machine.processor import processor_name
from bench.contenders.entries import Contender, run_program

NETWORK = "SE-ResNet-20, r=16"


@dataclass(frozen=True)
class Throughput:
    """What the rounds gave for one contender, in images a second.

    Attributes:
        name, title: of the contender.
        rounds: images a second in each round.
        median: of the rounds.
        ratio: median over the rounds of its throughput by the first contender's in the same round.
        cpu_rounds: processor time for an image in each round, in milliseconds, loading included.
        cpu_ratio: median over the rounds of the first contender's processor time by this one's; it says more than
            `ratio` where other programs take their share of the cores.
        told: what the program printed of its settings in the last round.
    """

    name: str
    title: str
    rounds: tuple[float, ...]
    median: float
    ratio: float
    cpu_rounds: tuple[float, ...]
    cpu_ratio: float
    told: dict[str, Any]


@dataclass(frozen=True)
class Course:
    """What every contender has to do.

    Attributes:
        rounds: how often each is timed.
        steps: that are timed in a round.
        batch: images in a step.
        cores: that it may use: as threads, or as processes of one thread.
        data: prepared CIFAR-10; None for random images.
        warmup: steps before.
    """

    rounds: int
    steps: int
    batch: int
    cores: int
    data: Path | None = None
    warmup: int = 5


def run_bench(
    entered: Sequence[Contender], course: Course, *, say: Callable[[str], None] = lambda text: None
) -> tuple[Throughput, ...]:
    """Time the contenders in turns, each in processes of its own.

    Args:
        entered: who; ratios are to the first.
        course: what they have to do.
        say: told of every result.

    Raises:
        UserError: a program failed: its last line.
    """
    answers: dict[str, list[dict[str, Any]]] = defaultdict(list)
    data = None if course.data is None else course.data.resolve()
    options = {name: getattr(course, name) for name in ("steps", "warmup", "batch", "cores")}
    for number in range(1, course.rounds + 1):
        for contender in entered:
            answers[contender.name].append(run_program(contender, **options, data=data))
            speed = answers[contender.name][-1]["images_per_second"]
            say(f"round {number} of {course.rounds}: {contender.title}: {speed:.0f} images/s")
    return tuple(_throughput(c, answers[c.name], answers[entered[0].name]) for c in entered)


def _throughput(contender: Contender, own: list[dict[str, Any]], first: list[dict[str, Any]]) -> Throughput:
    def of(answers: list[dict[str, Any]], name: str) -> tuple[float, ...]:
        return tuple(answer[name] for answer in answers)

    def ratio(above: tuple[float, ...], below: tuple[float, ...]) -> float:
        return median(a / b for a, b in zip(above, below, strict=True))

    speed, cpu = "images_per_second", "cpu_ms_per_image"
    return Throughput(
        name=contender.name,
        title=contender.title,
        rounds=of(own, speed),
        median=median(of(own, speed)),
        ratio=ratio(of(own, speed), of(first, speed)),
        cpu_rounds=of(own, cpu),
        cpu_ratio=ratio(of(first, cpu), of(own, cpu)),
        told={name: value for name, value in own[-1].items() if name not in (speed, cpu)},
    )


def describe_bench(found: Sequence[Throughput], course: Course, *, load_before: float) -> dict[str, Any]:
    """Return the bench as it is recorded: throughputs, settings, machine, versions, commit and load."""
    return {
        **describe_machine(load_before),
        "network": NETWORK,
        **{name: getattr(course, name) for name in ("batch", "steps", "warmup")},
        "images": images_of(course.data),
        "cores_used": course.cores,
        "timings": [asdict(one) for one in found],
    }


def describe_machine(load_before: float) -> dict[str, Any]:
    """Return when and on what something was measured: machine, versions, commit, and load before and after."""
    return {
        "when": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "processor": processor_name(),
        "cores": available_cores(),
        **code_version(),
        "python": sys.version.split()[0],
        **{name: package_version(name) for name in ("torch", "torchvision", "lightning", "timm", "numpy")},
        "load_before": load_before,
        "load_after": os.getloadavg()[0],
    }


def images_of(data: Path | None) -> str:
    """Return what the images are, as recorded."""
    return "random" if data is None else "CIFAR-10"


def write_bench(content: dict[str, Any], results_dir: Path) -> Path:
    """Write a bench to results/bench/, named by its time and processor; returns the file.

    Raises:
        UserError: it cannot be written.
    """
    words = "".join(c if c.isalnum() else " " for c in content["processor"].lower()).split()
    stamp = content["when"][:16].replace(":", "").replace("-", "")
    name = f"{stamp}-{'-'.join(words[:4])}-{content['cores_used']}-cores"
    return write_measured(content, name, results_dir)


def write_measured(content: dict[str, Any], name: str, results_dir: Path) -> Path:
    """Write what was measured to results/bench/NAME.json; returns the file.

    Raises:
        UserError: it cannot be written.
    """
    path = results_dir / "bench" / f"{name}.json"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_durably(path, (json.dumps(content, indent=1) + "\n").encode())
    except OSError as error:
        raise not_written(str(path), error, chosen=True) from error
    return path
