"""An import that is ended by SIGKILL in the midst of its lines is completed by the same command."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from comparing import read_record
from inherited.midway import VARIABLE

INHERITED = Path(__file__).parent / "inherited"
ROOT = Path(__file__).parents[2]
STUDY = """
title: Rates
question: Which rate?
experiment:
  command: ["{python}", "-c", "print('error', {lr} + {seed})"]
  metrics: {error: minimise}
  read: {regex: "error ([0-9.]+)"}
baseline: {lr: 0.1}
axes: {lr: [0.1, 0.01]}
seeds: 4
margin: 0.2
"""


def import_runs(folder: Path, order: Path | None = None) -> int:
    """Import the runs into the study in a folder, under an order to die, if one is given; return the status."""
    environment = {**os.environ, "PYTHONPATH": f"{INHERITED}{os.pathsep}{ROOT}"}
    environment |= {} if order is None else {VARIABLE: str(order)}
    program = "from ablations.cli import main; main()"
    words = ("import", "runs.csv", "rates.yaml")
    return subprocess.run([sys.executable, "-c", program, *words], cwd=folder, env=environment).returncode


@pytest.mark.slow
@pytest.mark.parametrize(("event", "share"), [(1, 0.0), (1, 0.6), (2, 0.9)])
def test_a_killed_import_is_completed_by_the_same_command(tmp_path: Path, event: int, share: float) -> None:
    values = {(rate, seed): 8 + rate + seed / 10 for rate in (0.1, 0.01) for seed in range(4)}
    rows = [f"{rate},{seed},{value}" for (rate, seed), value in values.items()]
    (tmp_path / "runs.csv").write_text("\n".join(["lr,seed,error", *rows]) + "\n")
    (tmp_path / "rates.yaml").write_text(STUDY)
    order = tmp_path / "order"
    order.write_text(json.dumps({"kind": "record line", "event": event, "share": share}))
    assert import_runs(tmp_path, order) == -signal.SIGKILL
    assert import_runs(tmp_path) == 0
    lines = read_record(tmp_path / "results/rates/trials.jsonl")
    assert set(Counter(line["key"] for line in lines).values()) == {1}
    assert {
        (line["trial"]["factors"]["lr"], line["trial"]["seed"]): line["result"]["metrics"]["error"]
        for line in lines
    } == values
