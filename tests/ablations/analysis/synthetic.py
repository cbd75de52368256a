"""A record that no one trained: right in form, made of known effects and noise."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ablations.planning.design import Design, design
from ablations.planning.row import Row
from ablations.planning.study_file import parse_study
from ablations.running.record.study_record import StudyRecord

CHANNELS = {2: 16, 3: 32, 4: 64}
UNITS = 3
ENVIRONMENT = {
    "commit": "abc1234", "dirty": False, "host": "bench", "processor": "Some CPU", "cores": 2,
    "device": "cpu", "precision": "bf16", "threads": 1, "python": "3.11.7", "torch": "2.14.1",
    "torchvision": "0.29.1", "platform": "Linux-6.1",
}  # fmt: skip


def study_design(**changes: Any) -> Design:
    """A small one-factor study of the reduction and the squeeze."""
    content: dict[str, Any] = {
        "name": "tiny",
        "title": "Reduction and squeeze",
        "question": "Do they matter?",
        "baseline": {"backbone": "resnet20", "variant": "se", "data": "cifar10"},
        "recipe": "cifar-quick",
        "axes": {"reduction": [4, 16, 32], "squeeze": ["avg", "max"]},
        "seeds": 6,
    }
    return design(parse_study({**content, **changes}).in_precision("bf16"))


def widths_of(row: Row) -> dict[int, int]:
    """Bottleneck units by stage, as a CIFAR ResNet builds them."""
    if row.variant is None:
        return {}
    stages = row.variant.stages or tuple(CHANNELS)
    return {stage: row.variant.width(CHANNELS[stage], stage) for stage in stages}


def line(
    plan: Design,
    row: Row,
    seed: int,
    error: float | None,
    *,
    top5: bool = True,
    epochs: int = 4,
    watched: bool = False,
    **changes: Any,
) -> dict[str, Any]:
    """One line of a record; an error of None is a failed trial."""
    trial = row.trial(seed)
    widths = widths_of(row)
    extra = sum(2 * CHANNELS[stage] * width * UNITS for stage, width in widths.items())
    positions = 1024 if row.variant is not None and row.variant.squeeze == "none" else 1
    result = {
        "top1_error": error, "top5_error": None if not top5 or error is None else round(error / 20, 2),
        "test_loss": 0.4, "train_loss": 0.3, "train_error": 10.0, "parameters": 272_474 + extra,
        "multiply_adds": 40_810_000 + extra * positions,
        "bottleneck_widths": {str(stage): width for stage, width in widths.items()}, "train_seconds": 160.0,
        "test_seconds": 2.0, "peak_memory_mib": 800.0, "weights_sha256": "0" * 64,
    }  # fmt: skip
    noise = random.Random(f"{row.label}{seed}")
    history = [
        {"epoch": e + 1, "train_loss": 0.25 + 1.8 * 0.75**e + noise.gauss(0, 0.02),
         "train_error": (error or 50) + 55 * 0.7**e + noise.gauss(0, 0.5), "lr": 0.1, "seconds": 16.0}
        for e in range(epochs)
    ]  # fmt: skip
    if watched:
        history = [{**epoch, "validation_error": epoch["train_error"] + 2} for epoch in history]
    failed = error is None
    made = {
        "schema": 1, "key": trial.key, "study": plan.study.name, "status": "failed" if failed else "finished",
        "trial": trial.to_json(), "result": None if failed else result, "history": [] if failed else history,
        "failure": {"kind": "diverged", "message": "the loss is not finite", "epoch": 3} if failed else None,
        "environment": ENVIRONMENT, "data_digest": "d" * 64, "data_note": "",
        "started": "2026-11-21T22:00:00+00:00", "finished": "2026-11-21T22:03:00+00:00",
        "shared_from": None,
    }  # fmt: skip
    return {**made, **changes}


def simulated(
    plan: Design,
    effects: Mapping[str, float] | None = None,
    *,
    level: float = 8.5,
    sd: float = 0.2,
    rho: float = 0.5,
    skip: Iterable[tuple[str, int]] = (),
    fail: Iterable[tuple[str, int]] = (),
    **changes: Any,
) -> list[dict[str, Any]]:
    """Lines for every trial of a design: level + effect of the row + noise shared by seed + own noise.

    Args:
        plan: the design.
        effects: points of error by label.
        level: error of a row without effect, per cent.
        sd: of the noise over seeds.
        rho: share of the noise's variance that rows with one seed have in common.
        skip: (label, seed) that are not recorded.
        fail: (label, seed) that fail.
        changes: fields of every line.
    """
    lines = []
    for seed in plan.seeds:
        shared = random.Random(f"seed {seed}").gauss(0, 1)
        for row in plan.rows:
            own = random.Random(f"{row.label} {seed}").gauss(0, 1)
            error = (
                level
                + (effects or {}).get(row.label, 0.0)
                + sd * (rho**0.5 * shared + (1 - rho) ** 0.5 * own)
            )
            if (row.label, seed) in set(skip):
                continue
            failed = (row.label, seed) in set(fail)
            lines.append(line(plan, row, seed, None if failed else round(error, 2), **changes))
    return lines


def write_record(folder: Path, lines: Iterable[Mapping[str, Any]]) -> StudyRecord:
    """Write lines as a study's trials.jsonl and open it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "trials.jsonl"
    path.write_text("".join(json.dumps(entry) + "\n" for entry in lines), encoding="utf-8")
    return StudyRecord(folder)
