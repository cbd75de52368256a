"""Side files whose values have another type than ours are refused by name, not by whoever computes with them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ablations.errors import RecordError
from ablations.planning.choices.space import Dimension
from ablations.running.doctor.records import check_record
from ablations.running.record.forecasts import Forecast, SweepCost, keep_forecast, load_forecasts
from ablations.running.record.interim_plans import InterimPlan
from ablations.running.record.study_paths import StudyPaths


@pytest.mark.parametrize("value", [[0.5], "x", float("nan"), {}, None])
def test_a_forecast_of_other_types_is_damaged(tmp_path: Path, value: object) -> None:
    path, cost = tmp_path / "forecast.json", SweepCost(6, 60.0, 30.0, 25.0, 35.0)
    keep_forecast(path, Forecast("2026-01-01", {}, 2, 3, None, (), cost, cost, None))
    content = json.loads(path.read_text())
    content["forecasts"][0]["whole"]["low"] = value
    path.write_text(json.dumps(content))
    with pytest.raises(RecordError, match="is damaged"):
        load_forecasts(path)


def test_a_plan_of_half_seeds_is_refused() -> None:
    with pytest.raises(ValueError, match="whole numbers"):
        InterimPlan.from_line('{"asked": "x", "looks": [2.5], "most": 3, "seeds": [0]}')


@pytest.mark.parametrize("value", ["x", 1, [], None, {}])
def test_a_dimension_has_its_choices_alone(value: object) -> None:
    assert not Dimension("stage 1", (True, False)).has(value)
    assert not Dimension("lr", low=0.1, high=0.5).has(value)


@pytest.mark.parametrize("name", ["path", "size"])
def test_the_doctor_reads_a_record_whose_data_are_named_by_a_list(tmp_path: Path, name: str) -> None:
    shipped = Path(__file__).parents[4] / "results" / "deeper" / "trials.jsonl"
    line = json.loads(shipped.read_text().splitlines()[0])
    line["trial"]["data"][name] = []
    paths = StudyPaths("deeper", tmp_path, tmp_path)
    paths.results.mkdir()
    paths.record.write_text(json.dumps(line) + "\n")
    assert any(
        "the key is not that of the trial" in str(found) for found in check_record(paths, {}, fix=False)
    )
