"""The steps of `bench/gpu.sh`: what each runs, and how much smaller it is in a dry run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ablations.running.machine.starting import WORKER_ENVIRONMENT
from bench.contenders.entries import Contender, run_program

AT_ONCE = (1, 2, 4, 8)
ROUNDS = 3
_DRY = 100
_LEAST = {"steps": 2, "warmup": 1, "batch": 16, "product": 64, "images": 128, "epochs": 1, "milliseconds": 50}
"""What the hundredth of a number is at least; other numbers stay."""

_NEVER_AGAIN = ("compiled",)  # it compiles for a minute in each process


@dataclass(frozen=True)
class Measurement:
    """One step.

    Attributes:
        part: of the page: "checks", "speed", "at once", "accuracy" or "section6".
        title: how the page names it.
        program: its module in this folder.
        numbers: its options.
        budget_seconds: after which it is ended, whatever it has found.
        words: more of its options.
    """

    part: str
    title: str
    program: str
    numbers: dict[str, int]
    budget_seconds: float
    words: tuple[str, ...] = ()

    def run(self, *, dry: bool, data: Path | None, patience_seconds: float) -> dict[str, Any]:
        """Run it in a process of its own; returns what it printed.

        Raises:
            UserError: it failed, or took too long.
        """
        numbers = {name: smaller(name, size) for name, size in self.numbers.items()} if dry else self.numbers
        words = (*self.words, *(("--dry",) if dry else ()))
        program = Contender(
            f"{self.part}, {self.title}",
            self.title,
            f"bench.gpu.{self.program}",
            words,
            environment=WORKER_ENVIRONMENT,
        )
        images = {} if data is None else {"data": data.resolve()}
        return run_program(program, patience_seconds=patience_seconds, **numbers, **images)


def smaller(name: str, size: int) -> int:
    """Return the hundredth of a size, and at least what makes sense; a number that is no size as it is."""
    return max(_LEAST[name], size // _DRY) if name in _LEAST else size


BESIDE = (
    ("ours, bf16", "captured", "bf16", ()),
    ("plain PyTorch, bf16", "plain", "bf16", ()),
    ("plain PyTorch, torch.compile, bf16", "compiled", "bf16", ()),
    ("Lightning, bf16-mixed", "lightning", "bf16", ()),
    ("timm, bf16, channels-last", "timm", "bf16", ()),
)
"""Ours and what one would use instead: title, way, precision and more options of the program."""

OURS = (
    ("ours, bf16, without a graph", "eager", "bf16", ()),
    ("ours, tf32", "captured", "tf32", ()),
    ("ours, fp32", "captured", "fp32", ()),
    ("ours, bf16, also algorithms that are not deterministic", "captured", "bf16", ("--any-algorithm",)),
)
"""Ours in other ways, likewise."""


def measurements(rounds: int = ROUNDS) -> Iterator[Measurement]:
    """Yield the steps, in their order: what matters most first, as time may be short; more rounds of speeds last.

    Args:
        rounds: how often each way of training is timed, if there is time.
    """
    yield Measurement("checks", "whether it is right", "checks", {"steps": 40, "batch": 128}, 90)
    yield from map(_speed, BESIDE)
    for together in AT_ONCE:
        numbers = {"at_once": together, "batch": 128, "milliseconds": 3000, "ready": 9}
        yield Measurement("at once", f"{together}", "together", numbers, 45, ("--precision=bf16",))
    numbers = {"epochs": 20, "images": 50_000, "batch": 128}
    yield Measurement("accuracy", "time to an accuracy, bf16", "accuracy", numbers, 75)
    yield Measurement("section6", "the study section6", "section6", {"images": 5_120, "batch": 128}, 150)
    yield from map(_speed, OURS)
    for _ in range(rounds - 1):
        yield from (_speed(way) for way in (*BESIDE, *OURS) if way[1] not in _NEVER_AGAIN)


def _speed(way: tuple[str, str, str, tuple[str, ...]]) -> Measurement:
    title, how, precision, more = way
    numbers = {"steps": 200, "warmup": 20, "batch": 128, "product": 8192}
    words = (f"--how={how}", f"--precision={precision}", *more)
    return Measurement("speed", title, "speed", numbers, 75 if how == "compiled" else 30, words)
