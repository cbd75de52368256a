"""`ablate plan` says what a study costs here and what it can find, and keeps what it said."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ablations.running.executors import local_factory
from ablations.running.machine.durations import duration_text
from ablations.running.record.forecasts import load_forecasts

FORECAST = Path("results/small/forecast.json")
TRAIN = ("run", "small.yaml", "--no-tracking", "--workers", "2")


def one_line(said: Any) -> str:
    return " ".join(said.out.split())


def test_what_is_unknown_is_said_with_the_way_out(ablate: Callable[..., Any]) -> None:
    said = ablate("plan", "small.yaml")
    assert said.status == 0, said.err
    assert "time unknown: no earlier trial tells it, and --calibrate 0 measures nothing" in said.out
    assert (
        "noise unknown: state it with --sd POINTS, or name a study that trained alike with --pilot STUDY"
        in said.out
    )
    assert not FORECAST.exists()


def test_a_stated_noise_tells_what_can_be_found(ablate: Callable[..., Any]) -> None:
    said = ablate("plan", "small.yaml", "--seeds", "6", "--sd", "0.25", "--rho", "0.5", "--detect", "0.3")
    text = one_line(said)
    assert (
        "sd of a paired difference over seeds 0.25 points; stated: a run's sd is 0.25 points, rho 0.5" in text
    )
    assert "6 seeds find 0.36 points with a probability of 80 %" in text
    assert (
        "after Holm's correction over 2 comparisons 0.43 or less (level 5 % / 2, as in its first step)"
        in text
    )
    assert "call an equal pair equivalent (margin 0.2) with a probability of" in text
    assert (
        "0.3 points 8 seeds a row; after Holm's correction over 2 comparisons 10 seeds a row at the most"
        in text
    )
    assert f"kept in {FORECAST}" in text
    [kept] = load_forecasts(FORECAST)
    assert kept.sensitivity is not None
    assert kept.sensitivity.detectable == pytest.approx(0.3577, abs=1e-3)
    assert kept.rows == ()


def test_every_plan_is_kept(ablate: Callable[..., Any]) -> None:
    for sd in ("0.1", "0.2"):
        assert ablate("plan", "small.yaml", "--sd", sd).status == 0
    assert [f.sensitivity and round(f.sensitivity.sd, 3) for f in load_forecasts(FORECAST)] == [0.141, 0.283]


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (
            ["--detect", "0.3"],
            "--detect needs the noise between seeds, and this study's record does not tell it yet",
        ),
        (["--sd", "0.2", "--pilot", "other"], "give the noise by --sd or by --pilot, not by both"),
        (["--rho", "0.5"], "--rho belongs to --sd"),
        (["--sd", "0.2", "--rho", "1"], "rho must be from -1 to below 1, got 1.0"),
        (["--sd", "nan"], "Invalid value for '--sd': 'nan' is not a finite number."),
        (["--sd", "0.2", "--detect", "nan"], "Invalid value for '--detect': 'nan' is not a finite number."),
        (["--pilot", "othr"], "unknown study with a record 'othr'; did you mean 'other'? known: other"),
        (
            ["--pilot", "other"],
            "the record of study 'other' says nothing of this study's noise: it has no finished",
        ),
    ],
)
def test_bad_words_are_refused_before_anything_is_measured(
    ablate: Callable[..., Any], words: list[str], error: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("results/other").mkdir()
    Path("results/other/trials.jsonl").write_text("", encoding="utf-8")
    monkeypatch.setattr(local_factory, "make_pool", None)
    said = ablate("plan", "small.yaml", "--calibrate", "5", *words)
    assert (said.status, said.out) == (2, "")
    assert error in said.err
    assert not FORECAST.exists()


def test_a_forecast_that_cannot_be_kept_is_still_said(ablate: Callable[..., Any]) -> None:
    FORECAST.mkdir(parents=True)
    said = ablate("plan", "small.yaml", "--sd", "0.2")
    assert said.status == 0, said.err
    assert "points with a probability of 80 %" in said.out
    assert f"the forecast is not kept: cannot read the forecast {FORECAST}: Is a directory" in one_line(said)


def test_for_programs(ablate: Callable[..., Any]) -> None:
    said = ablate("plan", "small.yaml", "--json", "--sd", "0.25", "--detect", "0.5")
    content = json.loads(said.out)
    assert [row["label"] for row in content["rows"]] == ["SE r=8", "plain", "SE max r=8"]
    assert (content["trials"], content["left"], content["problems"]) == (6, 6, {})
    assert content["rows"][1]["units"] is None
    assert content["forecast"]["sensitivity"]["comparisons"] == 2
    assert content["detect"]["seeds"] == 7
    assert content["kept"] == str(FORECAST)


def test_the_noise_of_a_pilot(ablate: Callable[..., Any]) -> None:
    Path("pilot.yaml").write_text(Path("small.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    assert ablate("run", "pilot.yaml", "--no-tracking", "--workers", "1").status == 0
    said = ablate("plan", "small.yaml", "--seeds", "5", "--pilot", "pilot", "--workers", "1")
    assert "the record of study pilot" in said.out, said.err
    assert "from earlier trials" in said.out
    assert "6 trials of study 'pilot' are among its own, and not trained again" in one_line(said)
    planned = json.loads(ablate("plan", "small.yaml", "--seeds", "5", "--workers", "1", "--json").out)
    assert (planned["trials"], planned["left"], planned["elsewhere"]) == (15, 9, {"pilot": 6})
    assert planned["forecast"]["left"]["trials"] == 9
    assert {row["finished"] for row in planned["rows"]} == {2}
    key = json.loads(Path("results/pilot/trials.jsonl").read_text(encoding="utf-8").splitlines()[0])["key"]
    assert (
        "it would not run if its data are the same: study 'pilot' has finished it"
        in ablate("why", "small.yaml", key).out
    )
    again = ablate("plan", "small.yaml", "--set", "recipe.epochs=2", "--pilot", "pilot")
    assert "epochs is 1.0, not 2.0" in again.err


@pytest.mark.slow
def test_a_calibration_a_sweep_and_the_report_on_both(ablate: Callable[..., Any]) -> None:
    said = ablate("plan", "small.yaml", "--calibrate", "1", "--workers", "2", "--sd", "3")
    assert "from calibration" in said.out, said.out + said.err
    assert "6 trials to train, 2 at a time: " in said.out
    [kept] = load_forecasts(FORECAST)
    assert len(kept.rows) == 3
    assert kept.start_seconds is not None
    assert kept.left is not None
    assert not Path("data").exists()
    assert ablate(*TRAIN).status == 0
    report = Path("reports/small/report.md").read_text(encoding="utf-8")
    assert "## Forecast and what happened" in report
    assert "Hours are of the 6 finished trials (of 6)" in report
    told = ablate("plan", "small.yaml", "--calibrate", "60", "--workers", "2", "--seeds", "4")
    assert "from earlier trials" in told.out
    assert "6 trials to train, 2 at a time: " in told.out
    done = ablate("plan", "small.yaml", "--calibrate", "60")
    assert "nothing to train" in done.out
    assert len(load_forecasts(FORECAST)) == 2


def test_durations() -> None:
    words = [duration_text(seconds) for seconds in (0.04, 9.9, 42.4, 99.4, 100, 5990, 6010, 360_000)]
    assert words == ["0.0 s", "9.9 s", "42 s", "99 s", "1.7 min", "99.8 min", "1.7 h", "100.0 h"]
