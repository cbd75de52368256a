"""One experiment tells the plans of a study apart: a column names the plan of each run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from small import RECIPE, small_study

from ablations.planning.design import Design
from ablations.planning.typed_study import plan_text
from ablations.running.mlflow.background_writer import fill_in
from ablations.running.mlflow.runs import Runs
from ablations.running.mlflow.summaries import RowSummary
from ablations.running.mlflow.tracker import Tracker
from ablations.running.record.study_paths import StudyPaths
from ablations.running.record.trial_file import TrialFile
from tests.ablations.analysis.synthetic import line, write_record


def written(plan: Design, paths: StudyPaths) -> Tracker:
    """Write what MLflow lacks of a plan, as a run or `sync` does."""
    tracker = Tracker(plan.study.name, None, paths.results_dir, plan=plan_text(plan.study))
    fill_in(tracker, plan.by_key, paths, TrialFile.load(paths.record), lambda row: "")
    tracker.write_summaries([RowSummary(row.label, dict(row.values), {"mean": 9.0}) for row in plan.rows])
    tracker.attach_report(paths.report)
    assert tracker.missed == 0, tracker.first_failure
    return tracker


def runs_of(tracker: Tracker) -> Runs:
    return tracker._runs


def plans(found: list[Any]) -> list[str]:
    return sorted(run.data.tags["plan"] for run in found)


@pytest.mark.usefixtures("results")
def test_runs_of_two_plans_are_told_apart_and_shared_trials_are_of_the_last(results: Path) -> None:
    paths = StudyPaths("small", results, results)
    short, more = small_study(), small_study(seeds=3)
    other = small_study(recipe={**RECIPE.model_dump(), "epochs": 1}, seeds=1)
    write_record(
        paths.results,
        [line(plan, row, s, 9.0) for plan in (more, other) for row in plan.rows for s in plan.seeds],
    )
    first = written(short, paths)
    assert plans(runs_of(first).on_level("trial")) == [plan_text(short.study)] * 6
    second = written(other, paths)
    [report] = runs_of(second).on_level("report")
    assert report.data.tags["plan"] == plan_text(other.study)
    assert set(plans(runs_of(second).on_level("summary"))) == {plan_text(other.study)}
    assert plans(runs_of(second).on_level("trial")) == sorted(
        [plan_text(short.study)] * 6 + [plan_text(other.study)] * 3
    )
    third = written(more, paths)  # it has the trials of the first plan, and new ones
    assert plans(runs_of(third).on_level("trial")) == sorted(
        [plan_text(more.study)] * 9 + [plan_text(other.study)] * 3
    )
