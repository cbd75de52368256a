"""`ablate plan --seal`: what it writes and refuses, and what report and doctor say of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ablations.planning.design import design
from ablations.planning.study_file import load_study
from tests.ablations.analysis.synthetic import line, write_record

Ablate = Callable[..., Any]
FILE = Path("results/small/seal.jsonl")


def trained(*seeds: int) -> None:
    plan = design(load_study("small.yaml"))
    write_record(Path("results/small"), [line(plan, row, s, 20.0 + s) for row in plan.rows for s in seeds])


def test_a_plan_is_sealed_and_the_report_says_so(ablate: Ablate) -> None:
    said = ablate("plan", "small.yaml", "--seal", "--primary", "plain")
    assert said.status == 0, said.err
    assert "primary: plain; " in said.out
    trained(0, 1)
    assert ablate("report", "small.yaml").status == 0
    text = Path("reports/small/report.md").read_text(encoding="utf-8")
    assert "| sealed | " in text
    assert "before any trial; primary: plain;" in text
    assert "| changed after sealing | nothing |" in text
    assert ablate("report", "small.yaml", "--set", "margin=1", "--replace").status == 0
    assert "| changed after sealing | margin (added) |" in Path("reports/small/report.md").read_text(
        encoding="utf-8"
    )


def test_a_plan_for_programs_has_its_seal(ablate: Ablate) -> None:
    said = ablate("plan", "small.yaml", "--seal", "--json", "--primary", "plain, SE max r=8")
    assert json.loads(said.out)["seal"]["primary"] == ["plain", "SE max r=8"]
    assert "seal" not in json.loads(ablate("plan", "small.yaml", "--json").out)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--primary", "plain"), "--primary belongs to --seal"),
        (
            ("--seal", "--primary", "plan"),
            "unknown row to compare with the baseline 'plan'; did you mean 'plain'?",
        ),
        (("--seal", "--primary", ","), "unknown row to compare with the baseline ''"),
    ],
)
def test_wrong_words_are_refused_in_one_line(ablate: Ablate, words: tuple[str, ...], said: str) -> None:
    found = ablate("plan", "small.yaml", *words)
    assert (found.status, found.err.count("\n")) == (2, 1)
    assert said in found.err
    assert not FILE.exists()


def test_a_study_that_is_known_cannot_be_sealed(ablate: Ablate) -> None:
    trained(0)
    assert ", after 3 of 6 trials; primary: all rows" in ablate("plan", "small.yaml", "--seal").out
    trained(0, 1)
    found = ablate("plan", "small.yaml", "--set", "margin=1", "--seal")
    assert (found.status, "cannot be sealed: all 6 trials of it are finished" in found.err) == (2, True)


def test_a_line_that_was_cut_off_is_nobodys(ablate: Ablate) -> None:
    """As a writer leaves it that is killed in the middle of a line."""
    assert ablate("plan", "small.yaml", "--seal").status == 0
    first = FILE.read_bytes()
    FILE.write_bytes(first + first[:40])
    assert (
        "seal.jsonl: the last line was cut off after 40 bytes"
        in ablate("doctor", "small.yaml", "--no-tracking").out
    )
    assert ablate("plan", "small.yaml", "--set", "margin=1", "--seal").status == 0
    assert FILE.read_bytes().startswith(first)
    assert FILE.read_bytes().count(b"\n") == 2
    assert FILE.with_name("seal.jsonl.torn").read_bytes() == first[:40] + b"\n"
    FILE.write_text("{}\n", encoding="utf-8")
    assert "seal.jsonl, line 1 is corrupt" in ablate("doctor", "small.yaml", "--no-tracking").out
    trained(0, 1)
    found = ablate("report", "small.yaml")
    assert (found.status, found.err.count("\n")) == (2, 1)
