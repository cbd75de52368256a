"""Forecasts are kept, every one of them, and read back as they were."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from ablations.running.record.forecasts import (
    Forecast,
    RowForecast,
    Sensitivity,
    SweepCost,
    keep_forecast,
    load_forecasts,
)
from senet_core.errors import UserError

ROW = RowForecast("SE", "a" * 16, 10.0, 8.0, 12.0, 1.0, "calibration")


def forecast(**changes: Any) -> Forecast:
    fields: dict[str, Any] = {
        "written": "2026-01-01T00:00:00+00:00", "environment": {"processor": "P"}, "workers": 2, "seeds": 3,
        "start_seconds": 4.0, "rows": (ROW,), "left": SweepCost(3, 30.0, 26.0, 22.0, 30.0), "whole": None,
        "sensitivity": Sensitivity(0.3, None, None, "stated", 3, 4, 0.05, 0.8, 0.2, 0.9, 1.8, 0.1, 0.01),
    }  # fmt: skip
    return Forecast(**{**fields, **changes})


def test_every_forecast_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "study" / "forecast.json"
    made = [forecast(seeds=seeds) for seeds in (3, 5)] + [forecast(rows=(), left=None, sensitivity=None)]
    for one in made:
        keep_forecast(path, one)
    assert load_forecasts(path) == tuple(made)


def test_forecasts_made_at_once_are_all_kept(tmp_path: Path) -> None:
    path = tmp_path / "forecast.json"
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda seeds: keep_forecast(path, forecast(seeds=seeds)), range(12)))
    assert sorted(one.seeds for one in load_forecasts(path)) == list(range(12))


def test_no_file_is_no_forecast(tmp_path: Path) -> None:
    assert load_forecasts(tmp_path / "none.json") == ()


@pytest.mark.parametrize("cut", range(0, 780, 60))
def test_a_damaged_file_is_refused_and_left_alone(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "forecast.json"
    keep_forecast(path, forecast())
    content = path.read_bytes()[:cut]
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"forecast\.json is damaged"):
        keep_forecast(path, forecast())
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    "content", [{}, [], {"schema": "2", "forecasts": []}, {"schema": 1, "forecasts": [{"rows": 1}]}]
)
def test_another_form_is_refused(tmp_path: Path, content: object) -> None:
    path = tmp_path / "forecast.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(UserError, match="remove it, and `ablate plan` makes another"):
        load_forecasts(path)
