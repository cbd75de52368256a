"""Who takes part in the bench, and how a program is run in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ablations.running.machine.processor import processor_computes_bf16
from senet_core.errors import UserError, unknown

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 1800.0


@dataclass(frozen=True)
class Contender:
    """One line of the bench.

    Attributes:
        name: how it is asked for.
        title: how it is printed.
        program: its module.
        options: for the program.
        needs: a package that it imports; empty for none beyond ours.
        environment: variables that are set for it.
    """

    name: str
    title: str
    program: str
    options: tuple[str, ...] = ()
    needs: str = ""
    environment: dict[str, str] = field(default_factory=dict)


def contenders() -> tuple[Contender, ...]:
    """Return the contenders that make sense on this processor; the first is what others are compared with."""
    lightning, timm, ours = (
        f"bench.contenders.{name}" for name in ("lightning_trainer", "timm_loop", "ours")
    )
    bf16 = ("--precision", "bf16")
    mixed = (
        Contender("lightning-bf16", "Lightning, bf16-mixed", lightning, bf16, "lightning"),
        Contender("timm-bf16", "timm, amp bf16, channels-last", timm, bf16, "timm"),
    )
    return (
        Contender("plain-pytorch", "plain PyTorch, fp32", "bench.contenders.plain_pytorch"),
        Contender("lightning", "Lightning, fp32", lightning, needs="lightning"),
        Contender("timm", "timm, fp32, channels-last", timm, needs="timm"),
        *(mixed if processor_computes_bf16() else ()),
        Contender("ours", "ours", ours),
        Contender("ours-plain", "ours, without kernels of our own", ours, ("--plain",)),
        Contender("ours-bare", "ours, the bare loop", ours, ("--bare",)),
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
        if not _can_run(known[name]):
            needs = known[name].needs
            raise UserError(
                f"contender {name!r} needs {needs}; install it with pip install 'senet-ablations[bench]'"
            )
    return tuple(c for name, c in known.items() if (name in names if names else _can_run(c)))


def _can_run(contender: Contender) -> bool:
    return not contender.needs or find_spec(contender.needs) is not None


def run_program(
    contender: Contender, *, patience_seconds: float = PATIENCE_SECONDS, **options: object
) -> dict[str, Any]:
    """Run a contender's program in a process of its own; returns what it printed, as JSON on its last line.

    Args:
        contender: whose program.
        patience_seconds: after which it is ended.
        options: for the program, before the contender's own; None leaves one out.

    Raises:
        UserError: it failed: its last line.
    """
    given = [f"--{name}={value}" for name, value in options.items() if value is not None]
    try:
        done = subprocess.run(
            [sys.executable, "-m", contender.program, *given, *contender.options],
            capture_output=True,
            text=True,
            timeout=patience_seconds,
            check=False,
            cwd=ROOT,  # the code of this clone, whatever is installed
            env={**os.environ, **contender.environment},
        )
    except subprocess.TimeoutExpired as error:
        raise UserError(f"contender {contender.name!r} took longer than {patience_seconds:g} s") from error
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode != 0 or not lines:
        reason = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise UserError(f"contender {contender.name!r} failed: {reason}")
    answer: dict[str, Any] = json.loads(lines[-1])
    return answer
