"""The report compares what was forecast with what happened, and says nothing where nothing was forecast."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ablations.analysis.report.write import write_report
from ablations.analysis.results.noise import stated_noise
from ablations.analysis.results.results import Results
from ablations.analysis.results.sensitivity import seeds_to_detect, sensitivity
from ablations.analysis.tables.forecast import choose_forecast, hindsight_table, hours_of
from ablations.planning.design import Design
from ablations.running.cost.sweep_cost import settings_key
from ablations.running.record.forecasts import Forecast, RowForecast, keep_forecast
from tests.ablations.analysis.synthetic import simulated, study_design, write_record

BEFORE, AFTER = "2026-11-21T20:00:00+00:00", "2026-11-21T23:00:00+00:00"
TRAINED = {"started": "2026-11-21T22:00:00+00:00", "finished": "2026-11-21T22:03:00+00:00"}


def comparisons_of(design: Design) -> int:
    return design.kind.comparisons(design)


def forecast(plan: Design, seconds: float = 81.0, **changes: Any) -> Forecast:
    rows = tuple(
        RowForecast(row.label, settings_key(row.trial(0).to_json()), seconds, 70.0, 90.0, 9.0, "calibration")
        for row in plan.rows
    )
    found = sensitivity(stated_noise(0.1, 0.5), seeds=6, comparisons=plan.kind.comparisons(plan), margin=0.2)
    fields: dict[str, Any] = {
        "written": BEFORE, "environment": {"processor": "Some CPU", "commit": "abc"}, "workers": 2, "seeds": 6,
        "start_seconds": None, "rows": rows, "left": None, "whole": None, "sensitivity": found,
    }  # fmt: skip
    return Forecast(**{**fields, **changes})


def test_hours_of_the_trials_that_were_foreseen(tmp_path: Path) -> None:
    plan = study_design()  # 5 rows, 6 seeds; a trial took 160 + 2 s
    results = Results(plan, write_record(tmp_path, simulated(plan, skip=[("SE r=4", 0)])))
    hours = hours_of(forecast(plan), results)
    assert hours is not None
    assert hours.trials == 29
    assert hours.busy * 3600 == pytest.approx(29 * 162)
    assert hours.busy_forecast * 3600 == pytest.approx(29 * 81)
    assert hours.wall * 3600 == pytest.approx(180)  # all were recorded as running at the same time
    assert hours.wall_forecast * 3600 == pytest.approx(15 * 90)


def test_only_what_was_foreseen_counts(tmp_path: Path) -> None:
    plan = study_design()
    lines = simulated(plan)
    for entry in lines[:5]:
        entry["shared_from"] = "another"
    results = Results(plan, write_record(tmp_path, lines))
    few = forecast(plan)
    few = forecast(plan, rows=few.rows[:2])
    hours = hours_of(few, results)
    assert hours is not None
    assert hours.trials == 2 * 5
    assert hours_of(forecast(plan, written=AFTER), results) is None
    assert hours_of(forecast(plan, rows=()), results) is None


def test_pauses_are_not_hours(tmp_path: Path) -> None:
    plan = study_design(axes={"reduction": [4, 16]}, seeds=2)
    lines = simulated(plan)
    for place, entry in enumerate(lines):
        entry["started"], entry["finished"] = (
            f"2026-11-21T{place:02}:00:00+00:00",
            f"2026-11-21T{place:02}:10:00+00:00",
        )
    results = Results(plan, write_record(tmp_path, lines))
    hours = hours_of(forecast(plan, written="2026-11-20T00:00:00+00:00"), results)
    assert hours is not None
    assert hours.wall == pytest.approx(len(lines) / 6)


def test_the_last_forecast_before_the_first_trial_is_judged(tmp_path: Path) -> None:
    plan = study_design()
    results = Results(plan, write_record(tmp_path, simulated(plan)))
    first, second, third = forecast(plan, 1.0), forecast(plan, 2.0), forecast(plan, 3.0, written=AFTER)
    assert choose_forecast((first, second, third), results) is second
    assert choose_forecast((third,), results) is third
    assert choose_forecast((), results) is None


def test_the_report_sets_them_side_by_side(tmp_path: Path) -> None:
    plan = study_design(margin=0.3)
    record = write_record(tmp_path / "results", simulated(plan))
    keep_forecast(tmp_path / "results" / "forecast.json", forecast(plan))
    paths = write_report(Results(plan, record), tmp_path / "reports", formats=("md", "html", "latex"))
    assert paths.markdown is not None
    text = paths.markdown.read_text(encoding="utf-8")
    section = text[text.index("<summary>Forecast and what happened</summary>") :]
    assert "| hours of training and test, all trials | 0.675 | 1.350 | 2.00 |" in section
    assert "| seeds a row | 6 | 6 | 1.00 |" in section
    assert "smallest difference found at 80 % power, points | 0.143 |" in section
    assert "Forecast of 2026-11-21 20:00:00 UTC for Some CPU, 2 at a time, commit abc." in section
    assert "stated: a run's sd is 0.1 points, rho 0.5" in section
    assert (paths.folder / "tables" / "forecast.csv").is_file()
    for path in (paths.html, paths.latex):
        assert path is not None
        assert "Forecast and what happened" in path.read_text(encoding="utf-8")


def test_without_a_forecast_nothing_is_said(tmp_path: Path) -> None:
    plan = study_design()
    record = write_record(tmp_path / "results", simulated(plan))
    assert hindsight_table(Results(plan, record)) is None
    text = write_report(Results(plan, record), tmp_path / "reports").markdown
    assert text is not None
    assert "orecast and what" not in text.read_text(encoding="utf-8")


def test_a_forecast_of_a_study_that_was_not_trained(tmp_path: Path) -> None:
    plan = study_design()
    record = write_record(tmp_path, [])
    keep_forecast(tmp_path / "forecast.json", forecast(plan))
    table = hindsight_table(Results(plan, record))
    assert table is not None
    assert [row.cells[2].text() for row in table.rows] == ["–"] * 4


def test_families_and_the_seeds_that_they_need() -> None:
    assert comparisons_of(study_design()) == 4  # plain, r=4, r=32, max: each counts once
    assert comparisons_of(study_design(include_plain=False)) == 3
    assert comparisons_of(study_design(design="grid")) == 6
    alone, corrected = seeds_to_detect(0.3, stated_noise(0.25, 0.5), 3)
    assert alone is not None
    assert corrected is not None
    assert alone < corrected
    assert sensitivity(stated_noise(0.25), seeds=1, comparisons=3, margin=0.2) is None


def test_of_a_race_the_trials_that_it_asked_for_stand_beside_those_of_all_seeds(tmp_path: Path) -> None:
    plan = study_design(design="race", race={"first": 5, "futility": 0.9}, seeds=6)
    keep_forecast(tmp_path / "forecast.json", forecast(plan))
    results = Results(plan, write_record(tmp_path, simulated(plan)))
    table = hindsight_table(results)
    assert table is not None
    shown = {row.cells[0].text(): tuple(cell.text() for cell in row.cells[1:3]) for row in table.rows}
    assert shown["trials"] == ("30", str(results.asked_trials))
    assert results.asked_trials < 30
    assert shown["seeds a row, at most"] == ("6", "6")  # what it finds is compared at one number of seeds
