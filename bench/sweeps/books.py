"""Time and memory of `ablate status` and `ablate report` on records of many trials that no one trained."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ablations.planning.design import design
from ablations.planning.networks.trial import NetworkTrial, network_trial
from ablations.planning.study_file import load_study
from ablations.running.record.trial_record import TrialRecord
from bench.contenders.entries import ROOT
from bench.programs import program_parser, run_program
from bench.sweeps.made_up import BEGUN, ENDED, made_up

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
ENVIRONMENT = {"commit": "abc", "dirty": False, "processor": "none", "device": "cpu", "torch": "2"}


def line(trial: NetworkTrial, noise: random.Random) -> str:
    """Return a line of a record: a finished trial with plausible numbers."""
    result, history = made_up(8.5 + noise.gauss(0, 0.3))
    record = TrialRecord(
        trial.key, "many", "finished", trial.to_json(), result, history, None, ENVIRONMENT, "d" * 64, "", BEGUN, ENDED
    )  # fmt: skip
    return record.to_line() + "\n"


def timed(folder: Path, *words: str) -> dict[str, float]:
    """Run a command; returns wall and processor seconds and peak memory."""
    code = "import sys; from ablations.cli import main; main(sys.argv[1:])"
    command = [sys.executable, "-c", code, *words]
    started = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL
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
    parser = program_parser(__doc__)
    parser.add_argument("--trials", type=int, nargs="+", default=[1_000, 10_000])
    found = {}
    for trials in parser.parse_args().trials:
        with tempfile.TemporaryDirectory(prefix="ablate-bench-") as name:
            folder = Path(name)
            (folder / "many.yaml").write_text(STUDY.replace("SEEDS", str(trials // ROWS)), encoding="utf-8")
            plan = design(load_study(str(folder / "many.yaml")).in_precision("fp32"))
            noise = random.Random(0)
            record = folder / "results" / "many" / "trials.jsonl"
            record.parent.mkdir(parents=True)
            record.write_text(
                "".join(line(network_trial(trial), noise) for trial in plan.trials), encoding="utf-8"
            )
            found[len(plan.trials)] = {
                "record_mib": round(record.stat().st_size / 2**20, 1),
                "status": timed(folder, "status", "many.yaml"),
                "report": timed(folder, "report", "many.yaml"),
            }
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    run_program(main)
