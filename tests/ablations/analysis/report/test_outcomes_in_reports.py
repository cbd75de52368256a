"""Reports of studies whose outcomes are known: verdicts over new test images, and what runs speak against them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ablations.analysis.report.write import write_report
from ablations.analysis.results.results import Results
from ablations.planning.design import Design
from ablations.running.record.outcomes import FOLDER, Outcomes, hash_of
from ablations.running.record.trial_record import TrialRecord
from tests.ablations.analysis.synthetic import simulated, study_design, write_record

IMAGES = 500


def with_outcomes(folder: Path, plan: Design, **lines: Any) -> Results:
    """Results whose finished trials know which images they got right; images are equally hard for all of them."""
    made, files = [], {}
    hard = np.random.default_rng(0).random(IMAGES)
    for place, line in enumerate(simulated(plan, **lines)):
        if line["result"] is not None:
            wrong = round(IMAGES * line["result"]["top1_error"] / 100)
            noisy = np.argsort(-hard + np.random.default_rng(place).normal(0, 0.2, IMAGES))
            right = np.ones(IMAGES, dtype=bool)
            right[noisy[:wrong]] = False
            content = Outcomes(line["key"], line["data_digest"], right).to_bytes()
            files[f"{line['key']}-{hash_of(content)[:8]}.bits"] = content
            line["result"] |= {"top1_error": 100 * wrong / IMAGES, "outcomes_sha256": hash_of(content)}
        made.append(line)
    record = write_record(folder, made)
    (folder / FOLDER).mkdir()
    for name, content in files.items():
        (folder / FOLDER / name).write_bytes(content)
    assert all(isinstance(line, TrialRecord) for line in record.finished.values())
    return Results(plan, record)


def text_of(results: Results, folder: Path) -> str:
    written = write_report(results, folder / "reports", formats=("md", "html", "latex"))
    for path in (written.html, written.latex):
        assert path is not None
        assert path.read_text(encoding="utf-8")
    assert written.markdown is not None
    return written.markdown.read_text(encoding="utf-8")


def test_verdicts_and_intervals_hold_for_new_images_and_the_report_says_so(tmp_path: Path) -> None:
    results = with_outcomes(tmp_path / "tiny", study_design(), level=30.0, effects={"plain": 12.0}, sd=0.4)
    assert {c.rests_on for c in results.comparisons.values()} == {"images"}
    plain = results.comparisons["plain"]
    assert plain.reading.verdict == "worse"
    (lo, hi), d = plain.over_seeds, plain.difference
    assert lo is not None
    assert hi is not None
    assert d.lo is not None
    assert d.hi is not None
    assert d.hi - d.lo > hi - lo  # on new images less is known
    level = results.families[0].outcome("SE").level
    assert level.half_width is not None
    text = text_of(results, tmp_path)
    assert "generalise over new seeds and new test images" in text
    assert "over new seeds alone" in text  # the other interval, among the details
    assert "(not on this test set)" in text
    assert re.search(r"SE: sd 0\.\d\d points over 6 seeds on these 500 test images, no more than", text)


def test_the_p_that_is_told_is_the_one_that_is_corrected(tmp_path: Path) -> None:
    results = with_outcomes(tmp_path / "tiny", study_design(), level=30.0, effects={"plain": 1.0}, sd=0.4)
    frame = results.compare().drop_duplicates("variant").set_index("variant")
    assert set(frame["p"].index) == set(results.comparisons)
    found = [c.p for c in results.comparisons.values()]
    assert all(p is not None for p in found)
    assert list(frame["p"]) == [results.comparisons[name].p for name in frame.index]
    told = [row["comparison"]["p"] for row in results.to_dict()["rows"] if row["comparison"]]
    assert sorted(told) == pytest.approx(sorted(found))
    members = next(iter(results.comparisons.values())).members
    least = min(results.comparisons.values(), key=lambda c: c.p or 0.0)
    assert least.p is not None
    assert least.p_corrected == pytest.approx(min(1.0, members * least.p))  # Holm's first step
    assert least.p != least.difference.p


def test_a_study_may_ask_for_verdicts_over_seeds_alone(tmp_path: Path) -> None:
    results = with_outcomes(tmp_path / "tiny", study_design(rests_on="seeds"), level=30.0)
    assert {c.rests_on for c in results.comparisons.values()} == {"seeds"}
    text = text_of(results, tmp_path)
    assert "generalise over new seeds, on these training and test data" in text
    assert "over new seeds and images" in text


def test_outcomes_that_cannot_be_read_leave_verdicts_over_seeds(tmp_path: Path) -> None:
    results = with_outcomes(tmp_path / "tiny", study_design(), level=30.0)
    next((tmp_path / "tiny" / FOLDER).iterdir()).write_bytes(b"torn")
    again = Results(results.design, results.record)
    assert {c.rests_on for c in again.comparisons.values()} == {"seeds"}


def test_the_head_names_rows_that_failed_or_collapsed(tmp_path: Path) -> None:
    plan = study_design(seeds=8)
    lines = simulated(plan, fail=[("SE r=4", 1), ("SE r=4", 2)])
    for line in lines:
        if line["key"] == next(row for row in plan.rows if row.label == "SE max").trial(3).key:
            line["result"]["top1_error"] += 20
    text = text_of(Results(plan, write_record(tmp_path / "tiny", lines)), tmp_path)
    head = text[: text.index("\n## ")]
    assert "2 runs failed: SE r=4 (2)" in head
    assert "SE max collapses now and then: 1 of 8 runs lie far off" in head
    assert "without a result" in text


def test_networks_that_learned_nothing_are_named(tmp_path: Path) -> None:
    lines = [{**line, "history": []} for line in simulated(study_design(), level=90.0)]
    results = Results(study_design(), write_record(tmp_path / "tiny", lines))
    assert "No network learned: every error is at the level of chance, 90 % for 10 classes" in text_of(
        results, tmp_path
    )
