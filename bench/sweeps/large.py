"""Large studies: how long writers of one long record wait for each other, and what `plan` and `status` take."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ablations.planning.design import design
from ablations.planning.networks.trial import network_trial
from ablations.planning.study_file import load_study
from ablations.running.record.trial_file import TrialFile
from bench.programs import program_parser, run_program
from bench.sweeps.books import STUDY, line, timed

ROWS = 10
APPENDS = 20

GRID = """
title: A large grid
question: How long does its plan take?
baseline: {backbone: resnet20, variant: {reduction: 16}, data: cifar10}
recipe: cifar-quick
axes:
  reduction: [2, 4, 8, 16, 32]
  squeeze: [avg, max, none]
  excitation: [sigmoid, tanh, relu]
  integration: [standard, pre, post, identity]
  recipe.lr: [0.05, 0.1, 0.2]
design: grid
seeds: 10
"""


def append_lines(path: Path, number: int) -> None:
    """Open a record and append lines of made-up trials, one by one; prints JSON: the waits, and what failed."""
    plan = design(load_study(str(path.parents[2] / "many.yaml")).in_precision("fp32"))
    noise = random.Random(number)
    waits, failures = [], 0
    started = time.perf_counter()
    file = TrialFile.load(path)
    opened = time.perf_counter() - started
    record = type(file.lines[0]).from_line(line(network_trial(plan.trials[number]), noise))
    for _ in range(APPENDS):
        started = time.perf_counter()
        try:
            file.append(record)
        except Exception:  # whatever it is, the line is not there
            failures += 1
        waits.append(time.perf_counter() - started)
    print(json.dumps({"opened": opened, "longest": max(waits), "failures": failures}))


def measure_appends(folder: Path, lines: int, writers: int) -> dict[str, float]:
    """Let writers append to one record at once; seconds."""
    study, record = folder / "many.yaml", folder / "results" / "many" / "trials.jsonl"
    study.write_text(STUDY.replace("SEEDS", str(lines // ROWS)), encoding="utf-8")
    record.parent.mkdir(parents=True)
    noise = random.Random(0)
    with record.open("w", encoding="utf-8") as file:
        plan = design(load_study(str(study)).in_precision("fp32"))
        file.writelines(line(network_trial(trial), noise) for trial in plan.trials)
    command = [sys.executable, "-m", "bench.sweeps.large", "--append-to", str(record), "--number"]
    running = [
        subprocess.Popen([*command, str(number)], stdout=subprocess.PIPE, text=True)
        for number in range(writers)
    ]
    found = [json.loads(process.communicate()[0]) for process in running]
    return {
        "longest_open_seconds": round(max(one["opened"] for one in found), 2),
        "longest_append_seconds": round(max(one["longest"] for one in found), 2),
        "failures": sum(one["failures"] for one in found),
        "lines_added": len(record.read_bytes().splitlines()) - lines,
    }


def main() -> None:
    """Measure, print JSON."""
    parser = program_parser(__doc__)
    parser.add_argument("--lines", type=int, default=50_000)
    parser.add_argument("--writers", type=int, default=8)
    parser.add_argument("--append-to", type=Path)
    parser.add_argument("--number", type=int, default=0)
    asked = parser.parse_args()
    if asked.append_to is not None:
        append_lines(asked.append_to, asked.number)
        return
    found: dict[str, object] = {}
    with tempfile.TemporaryDirectory(prefix="ablate-bench-") as name:
        folder = Path(name)
        found["appends"] = measure_appends(folder, asked.lines, asked.writers)
        (folder / "grid.yaml").write_text(GRID, encoding="utf-8")
        (folder / "many.yaml").write_text(STUDY.replace("SEEDS", "500"), encoding="utf-8")
        for study, results in (("grid", "empty"), ("many", "empty"), ("many", "results")):
            where = (f"{study}.yaml", "--results-dir", results)
            if results == "empty":
                found[f"plan {study}"] = timed(folder, "plan", *where, "--calibrate", "0")
            found[f"status {study}, {results}"] = timed(folder, "status", *where)
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    run_program(main)
