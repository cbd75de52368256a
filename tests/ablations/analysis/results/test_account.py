"""One error account for a study: each row one hypothesis, and nothing tested before its planned analysis."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ablations.analysis.report.write import write_report
from ablations.analysis.results.account import comparisons_of
from ablations.analysis.results.interims import note_analysis
from ablations.analysis.results.results import Results
from ablations.planning.design import Design
from ablations.running.record.study_paths import StudyPaths
from tests.ablations.analysis.synthetic import simulated, study_design, write_record

AXES = {"reduction": [4, 16, 32], "squeeze": ["avg", "max"], "excitation": ["sigmoid", "relu", "tanh"]}


def results_of(folder: Path, plan: Design, **lines: Any) -> Results:
    return Results(plan, write_record(folder / plan.study.name, simulated(plan, **lines)))


def report_of(results: Results, folder: Path) -> str:
    written = write_report(results, folder / "reports").markdown
    assert written is not None
    return written.read_text(encoding="utf-8")


def test_an_unfinished_study_says_no_verdict_no_p_and_no_interval(tmp_path: Path) -> None:
    plan = study_design(seeds=12, axes=AXES)
    later = [(row.label, seed) for row in plan.rows for seed in range(4, 12)]
    results = results_of(tmp_path, plan, effects={"SE max": -3.0, "plain": 3.0}, skip=later)
    for c in results.comparisons.values():
        assert c.difference.n == 4
        assert c.difference.mean is not None
        assert (c.reading.verdict, c.reading.words) == ("no claim", "no verdict before seed 12, as planned")
        assert (c.p_corrected, c.p_tost, c.p_tost_corrected, c.difference.p, c.difference.lo) == (None,) * 5
        assert (c.better, c.more_seeds) == (None, None)
    text = report_of(results, tmp_path)
    assert "no verdict before seed 12, as planned" in text
    for word in ("p =", "p <", "A lower error than", "undetermined", "equivalent"):
        assert word not in text, word


def test_a_race_says_nothing_before_its_first_interim_analysis(tmp_path: Path) -> None:
    plan = study_design(seeds=6, axes=AXES, design="race", race={"first": 3})
    effects = {"SE max": 3.0, "plain": 3.0}
    later = [(row.label, seed) for row in plan.rows for seed in range(2, 6)]
    before = results_of(tmp_path / "2", plan, effects=effects, skip=later)
    for c in before.comparisons.values():
        assert c.reading.words == "no verdict before seed 3, as planned"
        assert (c.p_corrected, c.difference.lo) == (None, None)
    text = report_of(before, tmp_path / "2")
    assert "It is too early for an answer" in text
    assert "intervals of differences come then" in text
    last = [("SE max", 2), *((label, seed) for label, seed in later if seed > 2)]
    one_left = results_of(tmp_path / "3", plan, effects=effects, skip=last)
    assert one_left.comparisons["plain"].reading.words == "no verdict before seed 3, as planned"
    reached = results_of(tmp_path / "4", plan, effects=effects, skip=last[1:])
    assert reached.withheld is None
    assert reached.comparisons["plain"].difference.lo is not None
    assert {c.more_seeds for c in reached.comparisons.values()} == {None}  # the race says who gets more


def test_one_trial_that_is_waited_for_withholds_and_one_that_failed_does_not(tmp_path: Path) -> None:
    plan = study_design(seeds=6, axes=AXES)
    waiting = results_of(tmp_path, plan, effects={"plain": 3.0}, skip=[("SE max", 5)])
    assert {c.reading.verdict for c in waiting.comparisons.values()} == {"no claim"}
    ended = results_of(tmp_path, plan, effects={"plain": 3.0}, fail=[("SE max", 5)])
    assert ended.comparisons["plain"].reading.verdict == "worse"


@pytest.mark.parametrize("kind", ["grid", "pairwise"])
def test_effects_and_interactions_wait_for_the_end_as_well(tmp_path: Path, kind: str) -> None:
    plan = study_design(seeds=3, axes=AXES, design=kind)
    assert results_of(tmp_path, plan, skip=[(plan.rows[-1].label, 2)]).combinations is None
    assert results_of(tmp_path, plan).combinations is not None


def test_a_race_is_tested_at_the_analyses_that_it_declares(tmp_path: Path) -> None:
    plan = study_design(seeds=8, axes=AXES, design="race")
    later = [(row.label, seed) for row in plan.rows for seed in range(5, 8)]
    results = results_of(tmp_path, plan, effects={"plain": 3.0}, skip=later)
    assert results.withheld is None
    assert results.comparisons["plain"].reading.verdict == "worse"


def test_a_row_has_one_p_and_one_verdict_in_every_table(tmp_path: Path) -> None:
    results = results_of(tmp_path, study_design(seeds=6, axes=AXES), effects={"plain": 0.4})
    assert len(results.families) == 3
    assert len({id(family.comparisons["plain"]) for family in results.families}) == 1
    assert {c.members for c in results.comparisons.values()} == {6}  # plain, two reductions, max, relu, tanh


@pytest.mark.parametrize(("seeds", "how"), [(6, "Holm's method"), (9, "step-down max-T")])
def test_the_first_lines_say_the_rate_of_the_whole_report(tmp_path: Path, seeds: int, how: str) -> None:
    text = report_of(results_of(tmp_path, study_design(seeds=seeds, axes=AXES)), tmp_path)
    head = text[: text.index("\n## ")]
    assert "is at most 5 %" in head
    assert f"6 comparisons with the baseline, corrected together by {how}" in head
    assert "Verdicts and intervals generalise over new seeds, on these training and test data." in head


def test_what_hangs_on_the_margin_is_shown(tmp_path: Path) -> None:
    results = results_of(tmp_path, study_design(seeds=12, axes=AXES, margin=0.3), sd=0.1, rho=0.9)
    text = report_of(results, tmp_path)
    part = text[text.index("<summary>Verdicts at other margins</summary>") :]
    assert "| variant | margin 0.15 | margin 0.3 | margin 0.6 |" in part
    halved = comparisons_of(results, margin=0.15)["plain"].reading.verdict
    doubled = comparisons_of(results, margin=0.6)["plain"].reading.verdict
    now = results.comparisons["plain"].reading.verdict
    assert f"| plain | {halved} | {now} | {doubled} |" in part
    assert doubled == "equivalent"


def finished(folder: Path, name: str, **changes: Any) -> Results:
    """Return the results of a finished study, whose analysis is noted as every report does."""
    plan = study_design(name=name, **changes)
    paths = StudyPaths(name, folder / "results", folder / "reports")
    results = Results(plan, write_record(paths.results, simulated(plan)))
    note_analysis(results)
    return results


def test_another_name_is_no_new_study(tmp_path: Path) -> None:
    finished(tmp_path, "pilot", seeds=2, axes=AXES)
    again = finished(tmp_path, "deeper", seeds=6, axes={"squeeze": ["avg", "max"]})
    assert again.schedule is not None
    assert again.schedule.at == (2, 6)


def test_a_study_of_other_rows_or_of_another_baseline_costs_nothing(tmp_path: Path) -> None:
    finished(tmp_path, "one", seeds=3, axes={"reduction": [4, 16]}, include_plain=False)
    finished(tmp_path, "two", seeds=3, axes=AXES, recipe={"base": "cifar-quick", "epochs": 2})
    other = finished(tmp_path, "three", seeds=6, axes={"squeeze": ["avg", "max"]}, include_plain=False)
    assert other.schedule is None


def test_a_ledger_of_another_study_that_cannot_be_read_stops_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    finished(tmp_path, "pilot", seeds=2, axes=AXES)
    ledger = tmp_path / "results" / "pilot" / "looks.jsonl"
    ledger.write_text("{}\n", encoding="utf-8")
    assert finished(tmp_path, "deeper", seeds=6, axes=AXES).schedule is None
    assert "of another study are left out" in caplog.text
