"""The steps of `bench/gpu.sh`: what each runs, and how much smaller it is in a dry run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ablations.running.executors.process_pool import WORKER_ENVIRONMENT
from bench.contenders.entries import Contender, run_program

AT_ONCE = (1, 2, 4)
ROUNDS = 3
_DRY = 100
_LEAST = {"steps": 2, "warmup": 1, "batch": 16, "product": 64, "images": 128, "epochs": 1, "milliseconds": 50}
"""What the hundredth of a number is at least; other numbers stay."""


@dataclass(frozen=True)
class Measurement:
    """One step.

    Attributes:
        part: of the page: "checks", "speed", "at once" or "accuracy".
        title: how the page names it.
        program: its module in this folder.
        numbers: its options.
        words: more of them.
    """

    part: str
    title: str
    program: str
    numbers: dict[str, int]
    words: tuple[str, ...] = ()

    def run(self, *, dry: bool, data: Path | None, patience_seconds: float) -> dict[str, Any]:
        """Run it in a process of its own; returns what it printed.

        Raises:
            UserError: it failed, or took too long.
        """
        numbers = {name: smaller(name, size) for name, size in self.numbers.items()} if dry else self.numbers
        words = (*self.words, *(("--dry",) if dry else ()))
        program = Contender(
            self.title, self.title, f"bench.gpu.{self.program}", words, environment=WORKER_ENVIRONMENT
        )
        images = {} if data is None else {"data": data.resolve()}
        return run_program(program, patience_seconds=patience_seconds, **numbers, **images)


def smaller(name: str, size: int) -> int:
    """Return the hundredth of a size, and at least what makes sense; a number that is no size as it is."""
    return max(_LEAST[name], size // _DRY) if name in _LEAST else size


def measurements(rounds: int = ROUNDS) -> Iterator[Measurement]:
    """Yield the steps, in their order: what matters most first, as time may be short.

    Args:
        rounds: how often each way of training is timed.
    """
    yield Measurement("checks", "whether it is right", "checks", {"steps": 40, "batch": 128})
    ways = [
        ("ours, bf16", ("captured", "bf16"), ()),
        ("ours, tf32", ("captured", "tf32"), ()),
        ("ours, fp32", ("captured", "fp32"), ()),
        ("ours, bf16, without a graph", ("eager", "bf16"), ()),
        (
            "ours, bf16, also algorithms that are not deterministic",
            ("captured", "bf16"),
            ("--any-algorithm",),
        ),
        ("plain PyTorch, bf16", ("plain", "bf16"), ()),
        ("plain PyTorch, torch.compile, bf16", ("compiled", "bf16"), ()),
    ]
    for number in range(rounds):
        for title, (how, precision), more in ways:
            if number == 0 or how != "compiled":  # it compiles for a minute in each process
                words = (f"--how={how}", f"--precision={precision}", *more)
                yield Measurement(
                    "speed",
                    title,
                    "speed",
                    {"steps": 200, "warmup": 20, "batch": 128, "product": 8192},
                    words,
                )
        if number == 0:
            for together in AT_ONCE:
                numbers = {"at_once": together, "batch": 128, "milliseconds": 5000, "ready": 12}
                yield Measurement("at once", f"{together}", "together", numbers, ("--precision=bf16",))
            yield Measurement(
                "accuracy",
                "time to an accuracy, bf16",
                "accuracy",
                {"epochs": 20, "images": 50_000, "batch": 128},
            )
