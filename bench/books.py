"""Time and memory of `ablate status` and `ablate report` on records of many trials that no one trained."""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from ablations.planning.design import design
from ablations.planning.study_file import load_study

STUDY = """
title: Many trials
question: How long do the books take?
baseline: {backbone: resnet20, variant: {reduction: 16}, data: cifar10}
recipe: cifar-quick
axes:
  reduction: [2, 4, 8, 16, 32]
  squeeze: [avg, max, none]
  excitation: [sigmoid, tanh, relu]
design: one-factor
seeds: SEEDS
"""
ROWS = 10
EPOCHS = 10


def line(study: str, trial: Any, noise: random.Random) -> str:
    """Return a line of a record: a finished trial with plausible numbers."""
    error = 8.5 + noise.gauss(0, 0.3)
    history = [
        {"epoch": e, "train_loss": 0.9**e, "train_error": error + 50 / e, "lr": 0.1, "seconds": 16.0}
        for e in range(1, EPOCHS + 1)
    ]
    result = {
        "top1_error": round(error, 2), "top5_error": 0.4, "test_loss": 0.4, "train_loss": 0.3, "train_error": 10.0,
        "parameters": 274_847, "multiply_adds": 40_810_000, "bottleneck_widths": {"2": 1, "3": 2, "4": 4},
        "train_seconds": 160.0, "test_seconds": 2.0, "peak_memory_mib": 800.0, "weights_sha256": "0" * 64,
    }  # fmt: skip
    return json.dumps(
        {
            "schema": 1, "key": trial.key, "study": study, "status": "finished", "trial": trial.to_json(),
            "result": result, "history": history, "failure": None,
            "environment": {"commit": "abc", "dirty": False, "processor": "none", "device": "cpu", "torch": "2"},
            "data_digest": "d" * 64, "data_note": "", "started": "2026-01-01T00:00:00+00:00",
            "finished": "2026-01-01T00:03:00+00:00", "mlflow_run_id": None, "shared_from": None,
        }
    )  # fmt: skip


def timed(folder: Path, *words: str) -> dict[str, float]:
    """Run a command; returns wall and processor seconds and peak memory."""
    code = "import sys; from ablations.cli import main; main(sys.argv[1:])"
    root = str(Path(__file__).resolve().parents[1])
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-c", code, *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": root},
        stdout=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(process.pid, 0)
    assert status == 0, words
    return {
        "wall_seconds": round(time.perf_counter() - started, 2),
        "cpu_seconds": round(used.ru_utime + used.ru_stime, 2),
        "peak_mib": round(used.ru_maxrss / 1024),
    }


def main() -> None:
    """Make records, run the commands, print JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, nargs="+", default=[1_000, 10_000])
    found = {}
    for trials in parser.parse_args().trials:
        with tempfile.TemporaryDirectory(prefix="ablate-bench-") as name:
            folder = Path(name)
            (folder / "many.yaml").write_text(STUDY.replace("SEEDS", str(trials // ROWS)), encoding="utf-8")
            plan = design(load_study(str(folder / "many.yaml")))
            noise = random.Random(0)
            record = folder / "results" / "many" / "trials.jsonl"
            record.parent.mkdir(parents=True)
            record.write_text("".join(f"{line('many', t, noise)}\n" for t in plan.trials), encoding="utf-8")
            found[len(plan.trials)] = {
                "record_mib": round(record.stat().st_size / 2**20, 1),
                "status": timed(folder, "status", "many.yaml"),
                "report": timed(folder, "report", "many.yaml"),
            }
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
