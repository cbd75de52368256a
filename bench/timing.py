"""The bench: our training and its peers, timed in turns on one machine. The contenders are scripts under bench/."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ablations.running.machine.durable import write_durably
from ablations.running.machine.environment import (
    available_cores,
    code_version,
    package_version,
    processor_computes_bf16,
    processor_name,
)
from senet_core.errors import UserError, unknown

SCRIPTS = Path(__file__).resolve().parent
PATIENCE_SECONDS = 1800.0


@dataclass(frozen=True)
class Contender:
    """One line of the bench.

    Attributes:
        name: how it is asked for.
        title: how it is printed.
        script: under bench/.
        options: for the script.
        needs: a package that it imports; empty for none beyond ours.
        environment: variables that are set for it.
    """

    name: str
    title: str
    script: str
    options: tuple[str, ...] = ()
    needs: str = ""
    environment: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Timing:
    """What the rounds gave for one contender, in images a second.

    Attributes:
        name, title: of the contender.
        rounds: images a second in each round.
        median: of the rounds.
        ratio: median over the rounds of its throughput by the first contender's in the same round.
        cpu_rounds: processor time for an image in each round, in milliseconds, loading included.
        cpu_ratio: median over the rounds of the first contender's processor time by this one's; it says more than
            `ratio` where other programs take their share of the cores.
        told: what the script said of its settings in the last round.
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
        warmup: steps before.
        batch: images in a step.
        cores: that it may use: as threads, or as processes of one thread.
        data: prepared CIFAR-10; None for random images.
    """

    rounds: int
    steps: int
    batch: int
    cores: int
    data: Path | None = None
    warmup: int = 5


def contenders() -> tuple[Contender, ...]:
    """Return the contenders that make sense on this processor; the first is what others are compared with."""
    bf16 = processor_computes_bf16()
    precise = [
        Contender("plain-pytorch", "plain PyTorch, fp32", "plain_pytorch.py"),
        Contender("lightning", "Lightning, fp32", "lightning_trainer.py", needs="lightning"),
        Contender("timm", "timm, fp32, channels-last", "timm_loop.py", needs="timm"),
    ]
    mixed = [
        Contender(
            "lightning-bf16",
            "Lightning, bf16-mixed",
            "lightning_trainer.py",
            ("--precision", "bf16"),
            "lightning",
        ),
        Contender(
            "timm-bf16", "timm, amp bf16, channels-last", "timm_loop.py", ("--precision", "bf16"), "timm"
        ),
    ]
    return (*precise, *(mixed if bf16 else ()), *_ours())


def _ours() -> tuple[Contender, ...]:
    return (
        Contender("ours", "ours", "ours.py"),
        Contender("ours-plain", "ours, without kernels of our own", "ours.py", ("--plain",)),
        Contender("ours-bare", "ours, the bare loop", "ours.py", ("--bare",)),
    )


def chosen(names: Sequence[str]) -> tuple[Contender, ...]:
    """Return contenders by name, in the bench's order; all that can run where none is named.

    Raises:
        UserError: a name is unknown, or what it needs is not installed.
    """
    known = {contender.name: contender for contender in contenders()}
    for name in names:
        if name not in known:
            raise unknown("contender", name, known)
        needs = known[name].needs
        if needs and find_spec(needs) is None:
            raise UserError(f"contender {name!r} needs {needs}; install it with pip install -e '.[bench]'")
    if names:
        return tuple(contender for name, contender in known.items() if name in names)
    return tuple(c for c in known.values() if not c.needs or find_spec(c.needs) is not None)


def run_bench(
    entered: Sequence[Contender], course: Course, *, say: Callable[[str], None] = lambda text: None
) -> tuple[Timing, ...]:
    """Time the contenders in turns, each in processes of its own.

    Args:
        entered: who; ratios are to the first.
        course: what they have to do.
        say: told of every result.

    Raises:
        UserError: a script failed: its last line.
    """
    found: dict[str, list[float]] = {contender.name: [] for contender in entered}
    cpu: dict[str, list[float]] = {contender.name: [] for contender in entered}
    told: dict[str, dict[str, Any]] = {}
    given = [
        "--steps",
        str(course.steps),
        "--warmup",
        str(course.warmup),
        "--batch",
        str(course.batch),
        "--cores",
        str(course.cores),
    ]
    given += ["--data", str(course.data.resolve())] if course.data is not None else []
    for number in range(1, course.rounds + 1):
        for contender in entered:
            answer = run_script(contender, given)
            speed = answer.pop("images_per_second")
            found[contender.name].append(speed)
            cpu[contender.name].append(answer.pop("cpu_ms_per_image"))
            told[contender.name] = answer
            say(f"round {number} of {course.rounds}: {contender.title}: {speed:.0f} images/s")
    first, first_cpu = found[entered[0].name], cpu[entered[0].name]
    return tuple(
        Timing(
            name=c.name,
            title=c.title,
            rounds=tuple(found[c.name]),
            median=statistics.median(found[c.name]),
            ratio=statistics.median(mine / theirs for mine, theirs in zip(found[c.name], first, strict=True)),
            cpu_rounds=tuple(cpu[c.name]),
            cpu_ratio=statistics.median(
                theirs / mine for mine, theirs in zip(cpu[c.name], first_cpu, strict=True)
            ),
            told=told[c.name],
        )
        for c in entered
    )


def run_script(
    contender: Contender, given: Sequence[str], *, patience_seconds: float = PATIENCE_SECONDS
) -> dict[str, Any]:
    """Run a contender's script in a process of its own; returns what it said, as JSON on its last line.

    Args:
        contender: whose script.
        given: options before the contender's own.
        patience_seconds: after which it is ended.

    Raises:
        UserError: there is no such script, or it failed: its last line.
    """
    if not SCRIPTS.is_dir():
        raise UserError(f"the bench's scripts are not at {SCRIPTS}: run it from a clone of the repository")
    command = [sys.executable, str(SCRIPTS / contender.script), *given, *contender.options]
    path = os.pathsep.join(
        filter(None, (str(SCRIPTS.parent), os.environ.get("PYTHONPATH")))
    )  # the code of this clone, whatever is installed
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=patience_seconds,
            check=False,
            env={**os.environ, "PYTHONPATH": path, **dict(contender.environment)},
        )
    except subprocess.TimeoutExpired as error:
        raise UserError(f"contender {contender.name!r} took longer than {patience_seconds:g} s") from error
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode != 0 or not lines:
        reason = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise UserError(f"contender {contender.name!r} failed: {reason}")
    answer: dict[str, Any] = json.loads(lines[-1])
    return answer


def describe_bench(timings: Sequence[Timing], course: Course, *, load_before: float) -> dict[str, Any]:
    """Return the bench as it is recorded: timings, settings, machine, versions, commit and load."""
    return {
        **describe_machine(),
        "network": "SE-ResNet-20, r=16",
        "batch": course.batch,
        "steps": course.steps,
        "warmup": course.warmup,
        "images": "random" if course.data is None else "CIFAR-10",
        "cores_used": course.cores,
        "load_before": load_before,
        "load_after": os.getloadavg()[0],
        "timings": [asdict(timing) for timing in timings],
    }


def describe_machine() -> dict[str, Any]:
    """Return when and on what something is measured: machine, versions and commit."""
    return {
        "when": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "processor": processor_name(),
        "cores": available_cores(),
        **code_version(),
        "python": sys.version.split()[0],
        **{name: package_version(name) for name in ("torch", "torchvision", "lightning", "timm", "numpy")},
    }


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
        raise UserError(f"cannot write {path}: {error.strerror or error}") from error
    return path
