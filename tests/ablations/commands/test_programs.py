"""`report` and `analyse` for programs: JSON alone on standard output, and a status that can stop a build."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.ablations.analysis.synthetic import simulated, study_design, write_record

CSV = "variant,seed,value\n" + "".join(
    f"{name},{seed},{9 + shift + 0.02 * ((seed * k) % 5)}\n"
    for k, (name, shift) in enumerate((("SE", 0.0), ("bad", 1.0), ("alike", 0.01), ("good", -0.5)), 1)
    for seed in range(8)
)
FIELDS = {
    "title": "Reduction and squeeze",
    "question": "Do they matter?",
    "baseline": {"backbone": "resnet20", "variant": "se", "data": "cifar10"},
    "recipe": "cifar-quick",
    "axes": {"reduction": [4, 16, 32], "squeeze": ["avg", "max"]},
    "seeds": 6,
}


def study(*, skip: Iterable[tuple[str, int]] = ()) -> None:
    """Write tiny.yaml and its record: plain is worse, and SE max is better."""
    Path("tiny.yaml").write_text(yaml.safe_dump(FIELDS), encoding="utf-8")
    plan = study_design()
    write_record(Path("results/tiny"), simulated(plan, {"plain": 3.0, "SE max": -3.0}, skip=skip))


def test_a_report_is_printed_and_not_written(ablate: Callable[..., Any]) -> None:
    study()
    said = ablate("report", "tiny.yaml", "--json")
    assert (said.status, said.err) == (0, "")
    rows = {row["label"]: row for row in json.loads(said.out)["rows"]}
    assert rows["plain"]["comparison"]["verdict"] == "worse"
    assert not Path("reports").exists()
    # verdicts were seen: that counts as an analysis, as with a written report
    assert Path("results/tiny/looks.jsonl").is_file()


@pytest.mark.parametrize("words", [("--format", "html"), ("--format", "md"), ("--replace",)])
def test_what_is_of_a_written_report_is_refused(ablate: Callable[..., Any], words: tuple[str, ...]) -> None:
    study()
    said = ablate("report", "tiny.yaml", "--json", *words)
    assert (said.status, said.out) == (2, "")
    assert (
        said.err
        == f"ablate: --json prints one document and writes no report: leave out {words[0]}, or --json\n"
    )


def test_expected_verdicts_of_a_study(ablate: Callable[..., Any]) -> None:
    study()
    holds = ("--expect", "SE max: better", "--expect", "plain: not better")
    said = ablate("report", "tiny.yaml", *holds)
    assert (said.status, said.err) == (0, "")
    assert "report.md" in said.out
    said = ablate("report", "tiny.yaml", "--json", *holds, "--expect", "plain: not worse")
    assert (said.status, said.err) == (3, "plain: expected not worse, found worse, n = 6\n")
    assert json.loads(said.out)["study"] == "tiny"


def test_an_unfinished_study_is_not_as_expected(ablate: Callable[..., Any]) -> None:
    study(skip=[("plain", 5)])
    said = ablate(
        "report", "tiny.yaml", "--json", "--expect", "SE max: better", "--expect", "SE max: not worse"
    )
    why = "found nothing yet (no verdict before seed 6, as planned), n = 6"
    assert said.status == 3
    assert said.err == f"SE max: expected better, {why}\nSE max: expected not worse, {why}\n"
    assert not Path("results/tiny/looks.jsonl").exists()


def test_bad_expectations_end_with_2_before_anything_is_written(ablate: Callable[..., Any]) -> None:
    study()
    said = ablate("report", "tiny.yaml", "--expect", "SE mx: better")
    assert (said.status, said.out) == (2, "")
    assert "unknown row 'SE mx'; did you mean 'SE max'?" in said.err
    assert not Path("reports").exists()
    assert not Path("results/tiny/looks.jsonl").exists()  # nothing was seen
    said = ablate("report", "tiny.yaml", "--expect", "SE max: fine")
    assert said.status == 2
    assert said.err.startswith("ablate: unknown verdict 'fine'")


def test_a_file_is_analysed_for_programs(ablate: Callable[..., Any]) -> None:
    Path("own.csv").write_text(CSV, encoding="utf-8")
    said = ablate(
        "analyse", "own.csv", "--baseline", "SE", "--json", "--out", "out", "--expect", "good: better"
    )
    assert said.status == 0
    found = json.loads(said.out)
    assert {row["label"]: row["comparison"] and row["comparison"]["verdict"] for row in found["rows"]} == {
        "SE": None, "bad": "worse", "alike": "equivalent", "good": "better",
    }  # fmt: skip
    assert "out/report.md" in said.err
    assert any("--margin sets it" in warning for warning in found["warnings"])
    said = ablate("analyse", "own.csv", "--baseline", "SE", "--expect", "alike: better")
    assert (said.status, said.err) == (3, "alike: expected better, found equivalent, n = 8\n")
    said = ablate("analyse", "own.csv", "--baseline", "SE", "--json", "--format", "latex")
    assert said.status == 2
    assert "--json and --format latex both print" in said.err


def test_the_schema_of_the_document_is_printed(ablate: Callable[..., Any]) -> None:
    said = ablate("schema", "report")
    assert json.loads(said.out)["properties"]["kind"]["enum"] == ["report", "analysis"]
    assert json.loads(ablate("schema").out)["else"]["required"]
    said = ablate("schema", "reprot")
    assert (said.status, said.err) == (
        2, "ablate: unknown schema 'reprot'; did you mean 'report'? known: study, report\n",
    )  # fmt: skip
