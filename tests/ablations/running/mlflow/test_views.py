"""The views that MLflow's page offers: what they select, and that they stand in the experiment."""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

from ablations.planning.factors.trial import FactorTrial
from ablations.running.mlflow.summaries import RowSummary
from ablations.running.mlflow.tracker import Tracker
from ablations.running.mlflow.views import page_of, summary_view, trial_view, view_of


def state_of(value: str) -> Any:
    packed = json.loads(value)["state"].removeprefix("deflate;")
    return json.loads(zlib.decompress(base64.b64decode(packed)))


def test_the_view_of_the_trials_has_a_column_for_each_axis_and_the_seed() -> None:
    tag, value = trial_view(["reduction", "squeeze"])
    assert tag == "mlflow.sharedViewState.senettrial"
    state = state_of(value)
    assert state["selectedColumns"][:4] == [
        "params.`reduction`",
        "params.`squeeze`",
        "params.`seed`",
        "metrics.`top1_error`",
    ]
    assert state["searchFilter"] == "tags.`senet.level` = 'trial'"


def test_the_views_of_a_programs_trials_have_its_own_metrics() -> None:
    trial = FactorTrial('{"metrics":{"held_out":"maximise","score":"maximise"}}', '{"rate":0.1}', 0)
    columns = state_of(view_of(trial, ["rate"])[1])["selectedColumns"]
    assert columns[:4] == ["params.`rate`", "params.`seed`", "metrics.`held_out`", "metrics.`score`"]
    tag, value = view_of(replace(trial, judged_by=("held_out",)), [])
    columns = state_of(value)["selectedColumns"]
    assert tag.endswith("senetproposal")
    assert columns[:3] == ["params.`rate`", "metrics.`held_out`", "metrics.`train_seconds`"]


def test_the_view_of_the_summaries_is_sorted_by_the_mean() -> None:
    state = state_of(summary_view(["reduction"])[1])
    assert (state["orderByKey"], state["orderByAsc"]) == ("metrics.`mean`", True)
    assert {"params.`reduction`", "metrics.`p_corrected`", "tags.`verdict`"} <= set(state["selectedColumns"])


def test_the_page_of_a_study_names_its_experiment_and_the_view_of_the_summaries(results: Path) -> None:
    tracker = Tracker("study", None, results)
    tracker.write_summaries([RowSummary("SE", {"reduction": "16"}, {"mean": 9.0})])
    experiment = tracker._runs._client.get_experiment_by_name("study")
    assert experiment is not None
    assert tracker.page == page_of(experiment.experiment_id)
    key = tracker.page.rpartition("viewStateShareKey=")[2]
    state = state_of(experiment.tags[f"mlflow.sharedViewState.{key}"])
    assert "params.`reduction`" in state["selectedColumns"]
