"""What the harness adds to a program that does nothing, and how long a report of 10,000 of its trials takes.

`python -m bench.sweeps.programs` prints JSON.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import ablations as ab
from ablations.api.running import RunOptions
from ablations.planning.design import design
from ablations.running.record.study_paths import StudyPaths
from ablations.running.record.trial_record import TrialRecord
from bench.programs import run_program

PROGRAM = ["sh", "-c", "echo score 1"]
TRIALS = 200
REPORTED = 10_000


def study(rows: int, seeds: int) -> dict[str, Any]:
    """Return a study of a program that does nothing."""
    return {
        "name": "nothing",
        "title": "Nothing",
        "question": "How long does nothing take?",
        "experiment": {
            "command": [*PROGRAM, "{x}", "{seed}"],
            "metrics": {"score": "maximise"},
            "read": {"regex": "score ([0-9]+)"},
        },
        "baseline": {"x": 0},
        "axes": {"x": list(range(rows))},
        "seeds": seeds,
        "margin": 0.1,
    }


def bare() -> float:
    """Return the median seconds of the program by `subprocess.run`."""
    took = []
    for _ in range(TRIALS):
        began = time.perf_counter()
        subprocess.run(PROGRAM, capture_output=True, check=True)
        took.append(time.perf_counter() - began)
    return statistics.median(took)


def swept(folder: Path) -> tuple[float, float]:
    """Return the median seconds of a trial in its worker, and the wall seconds of the sweep for each trial."""
    began = time.perf_counter()
    ab.run(study(2, TRIALS // 2), results_dir=folder, workers=1, options=RunOptions())
    wall = time.perf_counter() - began
    lines = StudyPaths("nothing", folder, folder).open_record().trials.lines
    took = [line.result.train_seconds or 0.0 for line in lines if line.result is not None]
    ended = sorted(datetime.fromisoformat(line.finished).timestamp() for line in lines)
    return statistics.median(took), min(wall, ended[-1] - ended[0] or wall) / len(lines)


def reported(folder: Path) -> float:
    """Return the seconds that a report of many trials takes, from a record that is made of one trial's line."""
    asked = ab.load_study({**study(100, REPORTED // 100), "folder": str(folder.parent)})
    unfolded, paths = design(asked), StudyPaths("nothing", folder, folder)
    [line, *_] = paths.open_record().trials.lines
    known = json.loads(line.to_line())
    with paths.record.open("w", encoding="utf-8") as file:
        for number, trial in enumerate(unfolded.trials):
            known["key"], known["trial"] = trial.key, trial.to_json()
            known["result"]["metrics"]["score"] = float(number * 7919 % 1000)
            file.write(TrialRecord.from_line(json.dumps(known, separators=(",", ":"))).to_line() + "\n")
    began = time.perf_counter()
    ab.write_report(ab.load_results(asked, results_dir=folder), folder / "report")
    return time.perf_counter() - began


def main() -> None:
    """Measure, print JSON."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "results"
        alone, (median, each) = bare(), swept(folder)
        told = {
            "bare_ms": round(1000 * alone, 2),
            "trial_ms": round(1000 * median, 2),
            "sweep_ms_a_trial": round(1000 * each, 2),
            "report_of_10000_s": round(reported(folder), 2),
        }
    print(json.dumps(told, indent=1))


if __name__ == "__main__":
    run_program(main)
