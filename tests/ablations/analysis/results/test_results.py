"""A record becomes one row for each row and seed, missing ones included."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from ablations.analysis.results.results import Results
from ablations.running.record.study_record import StudyRecord
from tests.ablations.analysis.synthetic import line, simulated, study_design, write_record


def test_every_row_of_a_study_has_a_line_for_every_seed(tmp_path: Path) -> None:
    plan = study_design(seeds=3)
    record = write_record(tmp_path, simulated(plan, skip=[("SE max", 2)], fail=[("SE r=4", 0)]))
    frame = Results(plan, record).trials
    assert len(frame) == len(plan.rows) * 3
    assert list(frame["row"].unique()) == [row.label for row in plan.rows]
    status = frame.set_index(["row", "seed"])["status"]
    assert status["SE max", 2] == "missing"
    assert status["SE r=4", 0] == "failed"
    assert (status == "finished").sum() == len(frame) - 2
    assert frame.set_index(["row", "seed"])["top1_error"].isna().sum() == 2
    assert set(frame[frame["row"] == "SE r=4"]["axis.reduction"]) == {"4"}
    assert set(frame[frame["row"] == "plain"]["axis.squeeze"]) == {"-"}
    assert list(frame["key"][:3]) == [plan.rows[0].trial(seed).key for seed in range(3)]


def test_a_later_success_supersedes_a_failure_and_strangers_are_passed_over(tmp_path: Path) -> None:
    plan, other = study_design(seeds=1), study_design(seeds=[7])
    row = plan.baseline
    lines = [line(plan, row, 0, None), line(plan, row, 0, 8.0), line(other, row, 7, 1.0)]
    results = Results(plan, write_record(tmp_path, lines))
    assert list(results.finished) == [row.trial(0).key]
    assert not results.failed
    assert [record.key for record in results.of_row(row)] == [row.trial(0).key]


def test_no_record_is_a_study_of_missing_trials(tmp_path: Path) -> None:
    results = Results(study_design(), StudyRecord(tmp_path / "none"))
    assert set(results.trials["status"]) == {"missing"}
    assert results.history.empty
    assert all(outcome.level.n == 0 for family in results.families for outcome in family.outcomes)


def test_history_has_a_row_for_every_epoch(tmp_path: Path) -> None:
    plan = study_design(seeds=2)
    history = Results(plan, write_record(tmp_path, simulated(plan, epochs=3))).history
    assert len(history) == len(plan.rows) * 2 * 3
    assert list(history["epoch"][:3]) == [1, 2, 3]


def test_errors_without_top5_stay_without(tmp_path: Path) -> None:
    plan = study_design(seeds=2)
    [first, *_] = Results(plan, write_record(tmp_path, simulated(plan, top5=False))).families
    assert [outcome.others["top5"].mean for outcome in first.outcomes] == [None] * len(first.outcomes)


@pytest.mark.slow
def test_ten_thousand_trials_take_seconds(tmp_path: Path) -> None:
    plan = study_design(seeds=2000)
    record = write_record(tmp_path, simulated(plan, epochs=1))
    start = time.process_time()  # of this process alone: other work on the machine is no failure
    assert len(Results(plan, record).families) == 2
    assert time.process_time() - start < 10
