"""Every committed record is read by this code, holds the keys of its trials, and lets nothing be trained again."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from ablations.analysis.report.request import Request, read_request
from ablations.analysis.results.precision import design_of
from ablations.analysis.results.results import Results
from ablations.analysis.results.selection import select
from ablations.cli import main
from ablations.planning.design import Design, design
from ablations.planning.factors.trial import FactorTrial
from ablations.planning.networks.recipe import PRECISIONS
from ablations.planning.networks.trial import NetworkTrial
from ablations.planning.study_file import load_study, load_typed
from ablations.running.record.forecasts import load_forecasts
from ablations.running.record.outcomes import outcomes_file, read_outcomes
from ablations.running.record.study_record import StudyRecord
from ablations.running.record.trial_file import TrialFile
from bench.table import read_bench
from tools.quoting.clone import tracked_files

ROOT = Path(__file__).parents[2]
FILES = sorted(tracked_files(ROOT))


def committed(place: str, end: str) -> list[str]:
    """Files of a folder of the clone, by the end of their names."""
    return [file for file in FILES if file.startswith(place) and file.endswith(end)]


RECORDS = committed("results/", "/trials.jsonl")
STUDIES = [Path(file).parent.name for file in RECORDS]


def asked(study: str) -> Request:
    """How its report was asked for; plainly where it has none yet."""
    return (
        read_request(folder) if (folder := ROOT / "reports" / study).exists() else Request((study,), (), ())
    )


def planned(study: str, monkeypatch: pytest.MonkeyPatch) -> Design:
    """A committed study as it was run."""
    monkeypatch.chdir(ROOT)
    return design_of(load_typed(asked(study).asked), StudyRecord(ROOT / "results" / study))


def test_there_are_records_to_be_read() -> None:
    assert "results/a-a/trials.jsonl" in RECORDS
    assert committed("results/bench/", ".json")
    assert committed("results/", "/looks.jsonl")


@pytest.mark.parametrize("file", RECORDS)
def test_a_record_is_read_whole_and_its_keys_are_those_of_its_trials(file: str) -> None:
    record = TrialFile.load(ROOT / file)
    assert record.lines
    assert record.torn == b""
    for number, line in enumerate(record.lines, 1):
        form = FactorTrial if "experiment" in line.trial else NetworkTrial
        assert form.from_json(line.trial).key == line.key, f"{file}:{number}"


@pytest.mark.parametrize("file", RECORDS)
def test_every_line_belongs_to_its_study_and_came_from_committed_code(file: str) -> None:
    for number, line in enumerate(TrialFile.load(ROOT / file).lines, 1):
        assert line.study == Path(file).parent.name, f"{file}:{number}"
        assert line.environment.get("dirty") is False, f"{file}:{number}"


@pytest.mark.parametrize("file", RECORDS)
def test_the_outcomes_that_a_record_names_are_committed_and_no_others(file: str) -> None:
    folder = Path(file).parent
    named = set()
    for line in TrialFile.load(ROOT / file).finished.values():
        read_outcomes(ROOT / folder, line)
        path = outcomes_file(folder, line)
        named |= set() if path is None else {str(path)}
    assert named == set(committed(f"{folder}/outcomes/", ".bits"))


@pytest.mark.parametrize("file", committed("results/", "/looks.jsonl"))
def test_a_ledger_of_looks_is_read_and_is_of_its_study(file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plans = StudyRecord((ROOT / file).parent).interim_plans
    assert plans
    study = Path(file).parent.name
    if (ROOT / "reports" / study).exists():  # it says how the study was asked for
        record = StudyRecord((ROOT / file).parent)
        chosen = select(
            planned(study, monkeypatch), record
        ).design  # a tuned study is asked with what it chose
        assert plans[-1].asked == chosen.baseline.trial(0).key


def test_every_forecast_is_read() -> None:
    for file in committed("results/", "/forecast.json"):
        assert load_forecasts(ROOT / file), file


THROUGHPUTS = [
    file
    for file in committed("results/bench/", ".json")
    if "timings" in json.loads((ROOT / file).read_text())
]


@pytest.mark.parametrize("file", THROUGHPUTS)
def test_a_bench_is_read_and_its_ratios_are_those_of_its_rounds(file: str) -> None:
    timings = read_bench(ROOT / file)["timings"]
    for timing in timings:
        ratios = sorted(a / b for a, b in zip(timing["rounds"], timings[0]["rounds"], strict=True))
        half = len(ratios) // 2
        median = ratios[half] if len(ratios) % 2 else (ratios[half - 1] + ratios[half]) / 2
        assert timing["ratio"] == pytest.approx(median)


@pytest.mark.parametrize("study", STUDIES)
def test_a_study_that_is_reported_as_complete_has_nothing_left_to_train(
    study: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    report = ROOT / "reports" / study / "report.md"
    text = report.read_text(encoding="utf-8") if report.exists() else ""
    if not re.search(r"\*\*Cost\.\*\* (\d+) of \1 trials finished", text) or "still racing" in text:
        assert study != "a-a", "its report is complete: has the sentence that says so changed?"
        pytest.skip(f"{study} is not reported as complete")
    assert not Results(planned(study, monkeypatch), StudyRecord(ROOT / "results" / study)).next_trials()
    monkeypatch.delenv("ABLATE_RESULTS_DIR", raising=False)
    with pytest.raises(SystemExit) as ended:
        main(["status", *asked(study).typed, "--json"])
    assert not ended.value.code
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [row["label"] for row in rows if row["left"] or row["running"]] == []


@pytest.mark.parametrize("study", ["quickstart", "smoke"])
def test_a_fresh_clone_really_trains_what_it_begins_with(study: str) -> None:
    lent = {line.key for file in RECORDS for line in TrialFile.load(ROOT / file).lines}
    for precision in PRECISIONS:
        assert not lent & {trial.key for trial in design(load_study(study).in_precision(precision)).trials}


def test_a_key_that_is_not_its_trials_is_noticed() -> None:
    line = TrialFile.load(ROOT / "results/a-a/trials.jsonl").lines[0]
    changed = {**line.trial, "seed": line.trial["seed"] + 1}
    assert NetworkTrial.from_json(changed).key != line.key
