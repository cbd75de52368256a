"""Commands on a study that leaves its precision open: what they find, refuse and say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ablations.planning.design import design
from ablations.planning.study_file import load_study
from ablations.planning.trial import in_precision, trial_key
from tests.ablations.analysis.synthetic import ENVIRONMENT, line, write_record

Ablate = Callable[..., Any]
OPEN = ("--set", "recipe.precision=auto")
RESULTS = Path("results/small")


def recorded(precision: str, *labels: str) -> list[dict[str, Any]]:
    """Lines of these rows, or of all, as they were written when trials said "auto"."""
    plan = design(load_study("small.yaml", overrides=[OPEN[1]]).in_precision(precision))
    lines = [
        line(plan, row, seed, 20.0 + seed, environment={**ENVIRONMENT, "precision": precision})
        for row in plan.rows
        for seed in plan.seeds
        if not labels or row.label in labels
    ]
    for entry in lines:
        entry["trial"] = in_precision(entry["trial"], "auto")
        entry["key"] = trial_key(entry["trial"])
    return lines


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_lines_of_auto_are_found_by_their_old_keys_too(ablate: Ablate, precision: str) -> None:
    lines = recorded(precision)
    write_record(RESULTS, lines)
    status = json.loads(ablate("status", "small.yaml", *OPEN, "--json").out)
    assert (status["finished"], status["total"]) == (6, 6)
    why = ablate("why", "small.yaml", lines[0]["key"], *OPEN)
    assert (why.status, "is not trained again" in why.out or "finished" in why.out) == (0, True)
    plan = json.loads(ablate("plan", "small.yaml", *OPEN, "--json").out)
    assert (plan["left"], plan["recipe"]["precision"]) == (0, precision)
    report = ablate("report", "small.yaml", *OPEN)
    assert report.status == 0
    text = Path("reports/small/report.md").read_text(encoding="utf-8")
    assert "6 of 6 trials finished" in text
    assert f"{precision} on Some CPU" in text
    doctor = ablate("doctor", "small.yaml", "--no-tracking")
    assert "the key is not that of the trial" not in doctor.out


@pytest.mark.parametrize("words", [("report",), ("plan",), ("run", "--no-tracking"), ("sync",), ("retry",)])
def test_rows_in_two_precisions_are_refused_in_one_line(ablate: Ablate, words: tuple[str, ...]) -> None:
    write_record(RESULTS, [*recorded("fp32", "SE r=8", "plain"), *recorded("bf16", "SE max r=8")])
    command, *more = words
    said = ablate(command, "small.yaml", *OPEN, *more)
    assert (said.status, said.err.count("\n")) == (2, 1)
    assert "is confounded with precision" in said.err
    assert "go on in one of them: --set recipe.precision=fp32 or --set recipe.precision=bf16" in said.err
    assert not Path("reports").exists()


def test_status_says_so_and_one_of_them_can_be_had(ablate: Ablate) -> None:
    write_record(RESULTS, [*recorded("fp32", "SE r=8", "plain"), *recorded("bf16", "SE max r=8")])
    status = ablate("status", "small.yaml", *OPEN)
    assert (status.status, "is confounded with precision" in status.out) == (0, True)
    one = ablate("status", "small.yaml", "--set", "recipe.precision=bf16")
    assert (one.status, "confounded" in one.out) == (0, False)
    assert "of 6 trials finished" in one.out
    assert ablate("report", "small.yaml", "--set", "recipe.precision=fp32").status == 0


def test_status_does_not_wait_for_torch(ablate: Ablate) -> None:
    write_record(RESULTS, recorded("fp32"))
    code = (
        "import sys\nfrom ablations.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    print(end.code, 'torch' in sys.modules)"
    )
    words = [sys.executable, "-c", code, "status", "small.yaml", *OPEN, "--json"]
    out = subprocess.run(words, capture_output=True, text=True, check=True, env=os.environ.copy()).stdout
    assert '"finished": 6' in out
    assert out.endswith("False\n")
