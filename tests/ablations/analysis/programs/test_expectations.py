"""What is expected of rows holds where it is shown, and only there."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from ablations.analysis.programs.contents import document_of
from ablations.analysis.programs.document import Document
from ablations.analysis.programs.expectations import check_rows, parse_expectation, unfulfilled
from ablations.analysis.results.results import Results
from senet_core.errors import UserError
from tests.ablations.analysis.synthetic import simulated, study_design, write_record

SHIFTS = {"SE": 0.0, "good": -1.0, "bad": 1.0, "alike": 0.0, "open": 0.3, "few": 1.0, "a: b": 1.0}
SPREAD = {"open": 0.5}


def document(*tasks: str) -> Document:
    """Seven variants: better, worse, equivalent, undetermined, and one with too few seeds for a claim."""
    rows = [
        (task, name, seed, 9 + shift + SPREAD.get(name, 0.02) * (-1) ** (seed + seed * place // 3))
        for task in tasks or ("one",)
        for place, (name, shift) in enumerate(SHIFTS.items())
        for seed in range(2 if name == "few" else 8)
    ]
    frame = pd.DataFrame(rows, columns=["task", "variant", "seed", "value"])
    if not tasks:
        frame = frame.drop(columns="task")
    return document_of(Results.from_frame(frame, baseline="SE", margin=0.2))


FOUND = {"good": "better", "bad": "worse", "alike": "equivalent", "open": "undetermined", "few": "no claim"}
HOLDS = {
    "better": {"good"},
    "worse": {"bad"},
    "equivalent": {"alike"},
    "undetermined": {"open"},
    "not better": {"bad", "alike"},
    "not worse": {"good", "alike"},
    "not equivalent": {"good", "bad"},
    "not undetermined": {"good", "bad", "alike"},
    "better or equivalent": {"good", "alike"},
    "worse or undetermined": {"bad", "open"},
    "not better or worse": {"alike"},
    "  NOT   Better OR equivalent ": {"bad"},
}


@pytest.mark.parametrize("words", HOLDS)
def test_an_expectation_holds_for_what_is_shown_alone(words: str) -> None:
    made = document()
    for row, verdict in FOUND.items():
        expected = [parse_expectation(f"{row}:{words}")]
        check_rows(expected, made)
        lines = list(unfulfilled(expected, made))
        assert len(lines) == (row not in HOLDS[words]), (row, words)
        for line in lines:
            n = 2 if row == "few" else 8
            assert line.startswith(f"{row}: expected {' '.join(words.casefold().split())}, found {verdict}")
            assert line.endswith(f"n = {n}")


def test_an_unfinished_study_fulfils_nothing(tmp_path: Path) -> None:
    plan = study_design(seeds=8)
    record = write_record(tmp_path, simulated(plan, {"SE max": -5.0}, skip=[("plain", 7)]))
    made = document_of(Results(plan, record))
    for words in HOLDS:
        (line,) = unfulfilled([parse_expectation(f"SE max: {words}")], made)
        assert "found nothing yet (no verdict before seed 8, as planned), n = 8" in line


def test_of_several_tasks_each_must_show_it() -> None:
    made = document("easy", "hard")
    assert list(unfulfilled([parse_expectation("bad: worse")], made)) == []
    lines = list(unfulfilled([parse_expectation("bad: better")], made))
    assert [line.split(":")[0] for line in lines] == ["bad (task easy)", "bad (task hard)"]


def test_a_label_may_have_colons() -> None:
    made, expected = document(), [parse_expectation("a: b: worse")]
    check_rows(expected, made)
    assert list(unfulfilled(expected, made)) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("good", 'an expectation is "ROW: VERDICT"'),
        (": better", 'an expectation is "ROW: VERDICT"'),
        ("good:", 'an expectation is "ROW: VERDICT"'),
        ("good: beter", "unknown verdict 'beter'; did you mean 'better'? known: better, worse, equivalent,"),
        ("good: not", "unknown verdict 'not'"),
        ("good: not not better", "unknown verdict 'not better'"),
        ("good: better or", "unknown verdict 'better or'"),
        ("good: better and worse", "unknown verdict 'better and worse'"),
        ("good: better or not worse", "unknown verdict 'not worse'"),
        ("good: not better or worse or equivalent", "no verdict can fulfil"),
        ("goood: better", "unknown row 'goood'; did you mean 'good'?"),
        ("SE: better", "'SE' is the baseline, which is compared with nothing; rows that are: good, bad"),
    ],
)
def test_what_cannot_be_expected_is_refused_in_one_line(text: str, said: str) -> None:
    with pytest.raises(UserError) as refused:
        check_rows([parse_expectation(text)], document())
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)
