"""Side files whose values have another type than ours are refused by name, not by whoever computes with them."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path

import pytest

from ablations.errors import RecordError
from ablations.planning.choices.space import Dimension
from ablations.running.doctor.records import check_record
from ablations.running.record.forecasts import Forecast, SweepCost, keep_forecast, load_forecasts
from ablations.running.record.interim_plans import InterimPlan
from ablations.running.record.json_lines import add_line
from ablations.running.record.study_paths import StudyPaths
from ablations.running.record.study_record import StudyRecord
from ablations.running.record.trial_file import TrialFile

SHIPPED = Path(__file__).parents[4] / "results" / "deeper" / "trials.jsonl"


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
    line = json.loads(SHIPPED.read_text().splitlines()[0])
    line["trial"]["data"][name] = []
    paths = StudyPaths("deeper", tmp_path, tmp_path)
    paths.results.mkdir()
    paths.record.write_text(json.dumps(line) + "\n")
    assert any(
        "the key is not that of the trial" in str(found) for found in check_record(paths, {}, fix=False)
    )


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("parameters", 10**400),
        ("multiply_adds", 2**63),
        ("parameters", -1),
        ("test_loss", 1e308),
        ("train_seconds", 1e300),
        ("train_seconds", -1.0),
        ("peak_memory_mib", 1e308),
    ],
)
def test_a_number_that_nothing_can_be_computed_with_is_refused(
    tmp_path: Path, place: str, value: float
) -> None:
    line = json.loads(SHIPPED.read_text().splitlines()[0])
    line["result"][place] = value
    (tmp_path / "trials.jsonl").write_text(json.dumps(line) + "\n")
    with pytest.raises(RecordError, match=f"line 1 is corrupt: .*{place}"):
        TrialFile.load(tmp_path / "trials.jsonl")


def test_a_damaged_forecast_is_left_out_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "forecast.json").write_text("{")
    with caplog.at_level(logging.WARNING, "ablations"):
        assert StudyRecord(tmp_path).forecasts == ()
    assert "the forecasts are left out:" in caplog.text
    assert "remove it, and `ablate plan` makes another" in caplog.text


def test_a_line_that_was_cut_off_is_kept_beside_its_file(tmp_path: Path) -> None:
    path = tmp_path / "looks.jsonl"
    path.write_text('{"a":1}\n{"b":')
    add_line(path, "the plans", '{"c":3}')
    assert path.read_text() == '{"a":1}\n{"c":3}\n'
    assert path.with_name("looks.jsonl.torn").read_text() == '{"b":\n'


def test_the_doctor_reads_no_line_without_an_end(tmp_path: Path) -> None:
    paths = StudyPaths("x", tmp_path, tmp_path)
    paths.results.mkdir()
    paths.record.touch()
    os.truncate(paths.record, 2**33)
    [found] = check_record(paths, {}, fix=False)
    assert "line 1 is corrupt: it is longer than 16,777,216 bytes" in str(found)
