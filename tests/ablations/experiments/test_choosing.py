"""Programs and functions that are chosen among, from the study file to the report."""

from __future__ import annotations

import pytest
from kinds import Kind

EXPERIMENT = {
    "command": {"command": ["{python}", "chosen.py", "{rate}", "{way}", "{seed}"], "code": ["chosen.py"]},
    "function": {"call": "chosen:train"},
}
MODULE = """
import sys
import ablations as ab

def measured(rate, way, proposed):
    validation = 90 - 100 * abs(rate - 0.3) + (way == "other")
    return {"validation": validation} if proposed else {"validation": validation, "score": validation - 1}

def train(trial, context):
    context.report(1, validation=1.0, score=99.0)
    return measured(trial.values["rate"], trial.values["way"], trial.proposed)

if __name__ == "__main__":
    trial = ab.trial()
    trial.report(1, validation=1.0, score=99.0)
    trial.result(**measured(float(sys.argv[1]), sys.argv[2], trial.proposed))
"""


@pytest.mark.slow
@pytest.mark.parametrize("field", ["tune", "search"])
def test_a_choice_runs_and_the_reported_metric_of_a_proposal_is_nowhere(other: Kind, field: str) -> None:
    (other.folder / "chosen.py").write_text(MODULE, encoding="utf-8")
    metrics = {"score": {"goal": "maximise", "unit": "%"}, "validation": "maximise"}
    choice = {"trials": 4, "validation_metric": "validation", "ranges": {"rate": [0.1, 1.0]}}
    own = (
        {"design": "tuned", "seeds": 2}
        if field == "tune"
        else {"design": "search", "confirm": 2, "seeds": []}
    )
    other.write(
        {"way": ["usual", "other"]},
        experiment={**EXPERIMENT[other.name], "metrics": metrics},
        **{**own, field: choice},
    )

    status, printed = other.run("run", "own.yaml", "--no-tracking", "--workers", "2")

    assert status == 0, printed
    assert "Traceback" not in printed
    lines = other.lines()
    proposed = [line for line in lines if "judged_by" in line["trial"]]
    assert len(proposed) == (8 if field == "tune" else 4)
    assert not any("score" in str([line["result"], line["history"]]) for line in proposed)
    assert all("score" in line["result"]["metrics"] for line in lines if line not in proposed)
    report = (other.folder / "reports/own/report.md").read_text(encoding="utf-8")
    assert "no score of theirs was recorded" in report
    status, printed = other.run("run", "own.yaml", "--no-tracking", "--workers", "2")
    assert (status, len(other.lines())) == (0, len(lines)), printed
