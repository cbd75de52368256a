"""The first screen of a report: the answer in plain words claims what the verdicts do and no more."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import ablations as ab
from ablations.analysis.results.results import Results
from ablations.analysis.tables.glance.glance import Glance, glance_of
from ablations.running.record.study_record import StudyRecord
from tests.ablations.analysis.synthetic import simulated, study_design, write_record

SMALL: dict[str, Any] = {"axes": {"reduction": [4, 16, 32]}, "seeds": 6}


def seen(folder: Path, lines: dict[str, Any] | None = None, **changes: Any) -> Glance:
    plan = study_design(**{**SMALL, **changes})
    return glance_of(Results(plan, write_record(folder, simulated(plan, **(lines or {})))))


def test_what_is_shown_and_what_is_not_takes_two_plain_sentences(tmp_path: Path) -> None:
    found = seen(tmp_path, {"effects": {"plain": 2.0, "SE r=4": -1.0}, "sd": 0.1})
    first, second = found.answer
    assert re.fullmatch(
        r"Compared with SE in resnet20 on cifar10 after 10 epochs \(top-1 error \d\.\d\d %\), the error is lower for "
        r"SE r=4 \(by \d\.\d\d points\) and higher for the plain network \(by \d\.\d\d points\)\.",
        first,
    )
    assert re.fullmatch(
        r"Undetermined \(not shown to differ, nor to be equivalent\) is SE r=32: with 6 runs each, "
        r"it may be anything from \d\.\d\d points lower to \d\.\d\d points "
        r"higher\.",
        second,
    )
    assert found.status == ""
    assert not re.search(r"\bp\b|interval|Holm|\[", " ".join(found.answer))


def test_each_row_stands_once_the_best_first_and_the_baseline_at_zero(tmp_path: Path) -> None:
    axes = {"reduction": [4, 16], "squeeze": ["avg", "max"]}
    found = seen(tmp_path, {"effects": {"plain": 2.0, "SE r=4": -1.0}, "sd": 0.1}, axes=axes).rows
    labels = [row.label for row in found.rows]
    assert (labels[0], labels[-1]) == ("SE r=4", "plain")
    assert sorted(labels) == ["SE", "SE max", "SE r=4", "plain"]
    assert {row.label: row.axis for row in found.rows} == {
        "SE": "", "plain": "", "SE r=4": "reduction", "SE max": "squeeze",
    }  # fmt: skip
    assert found.rows[labels.index("SE")].difference == (0.0, None, None)
    assert [row.verdict for row in found.rows if row.label in ("plain", "SE r=4")] == ["better", "worse"]
    assert found.unmeasured == ()


def test_the_difference_that_the_paper_prints_stands_beside_its_row(tmp_path: Path) -> None:
    rows = {row.label: row.published for row in seen(tmp_path, paper_tables=["table_10"]).rows.rows}
    assert rows["SE r=32"] == pytest.approx(22.72 - 22.28)
    assert rows["SE"] is None


def test_where_nothing_is_shown_no_row_is_called_equal(tmp_path: Path) -> None:
    said = " ".join(seen(tmp_path).answer)
    assert "No variant's error is shown to be lower or higher than that of SE in resnet20" in said
    assert re.search(
        r"Undetermined \(.*\) are all 3 variants: after 6 runs each, they may be as much as [\d.]+ points lower"
        r" \((.*)\) or [\d.]+ points higher \((.*)\)\.",
        said,
    )
    assert "stay within" not in said


def test_rows_that_are_shown_to_be_as_good_say_within_what(tmp_path: Path) -> None:
    said = " ".join(seen(tmp_path, {"sd": 0.01}, seeds=5).answer)
    assert re.search(r"For .* it is shown to stay within 0\.2 points", said)


def test_an_unfinished_study_says_so_first_and_shows_no_verdict(tmp_path: Path) -> None:
    found = seen(tmp_path, {"skip": [("SE r=4", 0)], "effects": {"plain": 3.0}})
    assert found.status == (
        "The study is unfinished: 23 of 24 trials have a result. Interim: no verdict before seed 6, as planned."
    )
    assert found.answer[0].startswith("It is too early for an answer")
    assert {row.verdict for row in found.rows.rows} == {""}
    assert found.rows.interval == ""
    assert found.cost.startswith("23 of 24 trials finished; training took 1.02 hours in all")


def test_a_study_without_a_trial_has_a_first_screen(tmp_path: Path) -> None:
    found = glance_of(Results(study_design(**SMALL), StudyRecord(tmp_path / "none")))
    assert found.answer == ("The baseline has no finished trial, so there is nothing to compare with.",)
    assert found.rows.rows == ()
    assert found.cost == "0 of 24 trials finished."


@pytest.mark.parametrize("design", ["one-factor", "grid"])
def test_no_answer_is_longer_than_three_sentences(tmp_path: Path, design: str) -> None:
    axes = {"reduction": [4, 16], "squeeze": ["avg", "max"]}
    effects = {"SE r=4": 1.0, "SE max": -1.0, "plain": 2.0}
    assert 1 <= len(seen(tmp_path, {"effects": effects}, axes=axes, design=design).answer) <= 3


def test_a_frame_of_several_tasks_names_the_task_with_the_variant(tmp_path: Path) -> None:
    values = {("a", "x"): 1.0, ("b", "x"): 3.0, ("a", "y"): 1.0, ("b", "y"): 1.01}
    rows = [
        (variant, seed, task, value + seed / 100 + (seed % 3) / 500 * (variant == "b"))
        for (variant, task), value in values.items()
        for seed in range(5)
    ]
    frame = pd.DataFrame(rows, columns=["variant", "seed", "task", "value"])
    found = glance_of(ab.Results.from_frame(frame, baseline="a", lower_is_better=False, value="accuracy"))
    assert "the accuracy is higher for b on x" in found.answer[0]
    assert found.question == "Which variants differ from a in accuracy?"
    assert found.cost == "20 runs, measured elsewhere; what they took is not recorded."
    assert found.rows.rows[0].label == "b on x"
