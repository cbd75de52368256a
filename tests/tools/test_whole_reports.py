"""Whole reports on made-up studies: how they are made, what counts as wrong, and that the promised rate holds."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from tools.simulation.whole_reports import (
    ReportRates,
    WholeReport,
    kinds,
    known_rates,
    reports_table,
    simulate_reports,
)

REPETITIONS = 600
NOMINAL = 0.05 + 3 * math.sqrt(0.05 * 0.95 / REPETITIONS)


def test_every_kind_of_study_is_there_once_and_covers_what_matters() -> None:
    made = list(kinds())
    assert len(set(made)) == len(made)
    assert {kind.rows for kind in made} == {5, 17, 40}
    assert {kind.seeds for kind in made} == {3, 6, 10, 20, 30}
    assert {kind.noise for kind in made} == {"normal", "heavy", "skewed", "collapses"}
    assert {kind.truth for kind in made} == {"all equal", "half real", "at the margin"}
    assert len({kind.happens for kind in made}) == 4


def test_the_same_studies_are_made_in_every_call_and_real_effects_are_found() -> None:
    kind = WholeReport(5, 10, truth="half real")
    once = simulate_reports(kind, 6)
    assert simulate_reports(kind, 6) == once
    assert once.found is not None
    assert once.found > 0.2
    assert simulate_reports(replace(kind, truth="all equal"), 2).found is None


def test_rates_are_kept_line_by_line_and_shown_as_far_as_they_are_known(tmp_path: Path) -> None:
    path, kind = tmp_path / "rates.jsonl", next(kinds())
    rates = ReportRates(10, 0.02, 0.04, 0.0, 0.5, None, "abc")
    lines = [{"kind": asdict(kind), "rates": asdict(replace(rates, wrong_better=x))} for x in (0.9, 0.02)]
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    assert known_rates(path) == {kind: rates}
    assert reports_table(path).splitlines()[2:] == [
        "| normal | all equal | nothing | 17 | 6 | 2.0 % | 4.0 % | 0.0 % | 50.0 % | - |"
    ]
    assert known_rates(tmp_path / "none") == {}


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind",
    [
        WholeReport(17, 6),
        WholeReport(17, 10, "heavy"),
        WholeReport(40, 10),
        WholeReport(17, 10, truth="half real"),
        WholeReport(17, 10, happens="read after every seed"),
        WholeReport(17, 10, happens="worst third fails"),
    ],
    ids=str,
)
def test_a_whole_report_errs_as_rarely_as_its_first_lines_say(kind: WholeReport) -> None:
    found = simulate_reports(kind, REPETITIONS, seed=7)
    wrong = found.wrong_better if kind.happens.startswith("worst") else found.wrong_difference
    assert wrong <= NOMINAL
    assert found.wrong_equivalent <= NOMINAL
