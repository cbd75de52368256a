"""One study's name holds many plans: the one that was run last is taken up, and no report is lost to another."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import ablations as ab
from ablations.planning.design import Design, design
from ablations.planning.study_file import load_study
from ablations.running.record.last_plan import plan_of, read_last_plan, write_last_plan
from tests.ablations.analysis.synthetic import line, write_record

Ablate = Callable[..., Any]
CHANGES = ("--set", "recipe.epochs=2", "--seeds", "3")
SAID = "as last run: --set recipe.epochs=2 --seeds 3\n"
RESULTS = Path("results/small")


def as_if_run(*overrides: str, seeds: int | None = 3, study: str = "small.yaml") -> Design:
    """Write record and plan as a run would, with results that nobody has trained."""
    planned = design(load_study(study, overrides=overrides, seeds=seeds))
    lines = [line(planned, row, seed, 20.0 + seed) for row in planned.rows for seed in planned.seeds]
    write_record(RESULTS, lines)
    write_last_plan(RESULTS, plan_of(planned.study, Path("data")))
    return planned


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_commands_take_up_what_was_run_last_and_say_so(ablate: Ablate) -> None:
    key = as_if_run("recipe.epochs=2").trials[0].key
    status = ablate("status", "small.yaml", "--json")
    assert (json.loads(status.out)["finished"], status.err) == (9, SAID)
    assert ablate("why", "small.yaml", key).err == SAID
    retry = ablate("retry", "small.yaml", "--no-tracking")
    assert retry.err == SAID + "ablate: study 'small' has no failed trials to try again\n"
    report = ablate("report", "small.yaml")
    assert (report.status, report.err) == (0, SAID)
    assert "9 of 9 trials finished" in Path("reports/small/report.md").read_text(encoding="utf-8")
    written = ablate("status", "small.yaml", "--json", "--as-written")
    assert (json.loads(written.out)["finished"], written.err) == (0, "")
    given = ablate("status", "small.yaml", "--json", "--seeds", "1")
    assert (json.loads(given.out)["finished"], given.err) == (0, "")


def test_a_study_that_was_run_is_known_by_name_anywhere(ablate: Ablate, tmp_path: Path) -> None:
    as_if_run("recipe.epochs=2")
    (tmp_path / "elsewhere").mkdir()
    os.chdir(tmp_path / "elsewhere")
    said = ablate("status", "small", "--json", "--results-dir", "../results")
    assert json.loads(said.out)["finished"] == 9
    assert said.err == f"as last run: {tmp_path}/small.yaml --set recipe.epochs=2 --seeds 3\n"


def test_another_file_of_the_name_is_another_study(ablate: Ablate, tmp_path: Path) -> None:
    as_if_run("recipe.epochs=2")
    (tmp_path / "other").mkdir()
    Path("other/small.yaml").write_text(Path("small.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    said = ablate("status", "other/small.yaml", "--json")
    assert (said.status, json.loads(said.out)["finished"]) == (0, 0)
    assert "the last run was of another study, " in said.err
    Path("other").rename("away")
    Path("small.yaml").rename(
        "away/small.yaml"
    )  # results that were carried elsewhere are still of their file
    assert ablate("status", "away/small.yaml", "--json").err == SAID


@pytest.mark.parametrize(
    "content",
    [
        b"", b'{"version": 1, "words"', b"[]", b'{"version": 2}', b'{"version": 1}', b"\xff", b"[" * 100_000,
        b'{"version": 1, "words": [], "digest": "", "data_dir": ""}',
        b'{"version": 1, "words": ["small", "--rm"], "digest": "", "data_dir": ""}',
        b'{"version": 1, "words": ["small", "--seeds", "x"], "digest": "", "data_dir": ""}',
        b'{"version": 1, "words": "small", "digest": "", "data_dir": ""}',
        b'{"version": 1, "words": ["a"], "digest": "", "data_dir": "\\u0000"}',
    ],
    ids=str,
)  # fmt: skip
def test_a_damaged_plan_blocks_nothing(ablate: Ablate, content: bytes) -> None:
    as_if_run(seeds=None)
    (RESULTS / "plan.json").write_bytes(content)
    said = ablate("status", "small.yaml", "--json")
    assert (said.status, json.loads(said.out)["finished"], len(said.err.splitlines())) == (0, 6, 1)
    assert said.err.startswith("cannot read which plan was run last, results/small/plan.json: ")
    assert ablate("report", "small.yaml").status == 0
    assert "plan.json" in ablate("doctor", "small.yaml", "--no-tracking").out


def test_a_report_of_another_plan_is_not_replaced_by_an_oversight(ablate: Ablate) -> None:
    as_if_run("recipe.epochs=2")
    assert ablate("report", "small.yaml", "--format", "md,html,latex").status == 0
    before = files(Path("reports/small"))
    for words in (("--as-written",), ("--seeds", "2"), ("--set", "margin=0.3")):
        said = ablate("report", "small.yaml", *words)
        assert (said.status, len(said.err.splitlines())) == (2, 1)
        assert (
            "reports/small has the report of another plan, small.yaml --set recipe.epochs=2 --seeds 3"
            in said.err
        )
        assert said.err.endswith("--replace replaces it, --reports-dir names another place\n")
    edited = Path("small.yaml").read_text(encoding="utf-8").replace("[avg, max]", "[avg, none]")
    Path("small.yaml").write_text(edited, encoding="utf-8")
    assert "as its file was before it was changed" in ablate("report", "small.yaml").err
    assert files(Path("reports/small")) == before


def test_a_folder_holds_the_report_of_one_plan(ablate: Ablate) -> None:
    as_if_run("recipe.epochs=2")
    folder = Path("reports/small")
    assert ablate("report", "small.yaml", "--format", "md,html,latex", "--pairs", "squeeze").status == 0
    mine = folder / "figures/mine.svg"
    mine.write_text("<svg/>")
    renewed = ablate("report", "small.yaml")
    assert renewed.status == 0
    assert {"report.md", "report.html", "report.tex"} <= files(
        folder
    ).keys()  # of the same plan, and written anew
    assert not (folder / "tables/pairs-squeeze.csv").exists()
    assert "All pairs" not in (folder / "report.html").read_text(encoding="utf-8")
    other = ablate("report", "small.yaml", "--set", "axes={}", "--replace")
    assert other.status == 0, other.err
    left = files(folder)
    assert "report.html" not in left
    assert mine.exists()
    assert b"SE max" not in b"".join(left.values())
    assert not [name for name in left if name.endswith(".pdf")]
    assert "--set axes={}" in " ".join(json.loads(left["request.json"])["typed"])


@pytest.mark.parametrize("named", ["mine.csv", "../mine.csv", "../../../small.yaml"])
def test_tables_of_the_users_own_stay_whatever_a_request_says(ablate: Ablate, named: str) -> None:
    as_if_run()
    ablate("report", "small.yaml")
    folder = Path("reports/small")
    mine = folder / "tables" / named
    mine.parent.mkdir(exist_ok=True)
    if not mine.exists():
        mine.write_text("a\n1\n")
    if named != "mine.csv":  # a request that a stranger has made
        request = json.loads((folder / "request.json").read_text())
        (folder / "request.json").write_text(json.dumps({**request, "tables": [named]}))
    as_if_run("recipe.epochs=2")
    assert ablate("report", "small.yaml", "--replace").status == 0
    assert mine.exists()


def test_from_python(ablate: Ablate, caplog: pytest.LogCaptureFixture) -> None:
    as_if_run("recipe.epochs=2")
    with caplog.at_level(logging.WARNING, logger="ablations"):
        taken = ab.load_results("small.yaml")
    assert (len(taken.finished), caplog.messages) == (9, [SAID.strip()])
    assert len(ab.load_results("small.yaml", as_written=True).finished) == 0
    ab.write_report(taken, "reports")
    with pytest.raises(ab.UserError, match="has the report of another plan"):
        ab.write_report(ab.load_results("small.yaml", as_written=True), "reports")
    ab.write_report(ab.load_results("small.yaml", as_written=True), "reports", replace=True)


def test_a_run_notes_its_plan_and_says_what_was_there(ablate: Ablate) -> None:
    as_if_run("recipe.epochs=2")
    (RESULTS / "trials.jsonl").unlink()  # made up, of other data
    said = ablate("run", "small.yaml", "--seeds", "1", "--only", "plain", "--no-tracking", "--workers", "1")
    assert said.status == 0, said.err
    assert "study small: 1 trial, 1 to train" in said.out
    assert (
        f"{RESULTS} was last run with another plan, {Path.cwd()}/small.yaml --set recipe.epochs=2" in said.out
    )
    last = read_last_plan(RESULTS)
    assert last is not None
    assert last.typed.changes == ("--seeds", "1")
    assert ablate("status", "small.yaml").err == "as last run: --seeds 1\n"
