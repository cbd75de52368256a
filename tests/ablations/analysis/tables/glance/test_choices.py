"""The answer of a study that varies several axes says which of them make a difference, and which are open."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ablations.analysis.results.results import Results
from ablations.analysis.tables.glance.glance import Glance, glance_of
from tests.ablations.analysis.synthetic import simulated, study_design, write_record

AXES = {"reduction": [4, 8, 16], "excitation": ["relu", "sigmoid", "tanh"], "stages": [[2], [3], "all"]}
OPEN = r"Undetermined \(not shown to differ, nor to be equivalent\)"
POINTS = r"[\d.]+ points"


def seen(folder: Path, effects: dict[str, float], *, sd: float = 0.1, **changes: Any) -> Glance:
    plan = study_design(**{"axes": AXES, "seeds": 6, **changes})
    return glance_of(Results(plan, write_record(folder, simulated(plan, effects=effects, sd=sd))))


def test_the_axis_with_the_largest_difference_comes_first_and_open_axes_last(tmp_path: Path) -> None:
    effects = {"plain": 2.0, "SE relu": 4.0, "SE tanh": 3.0, "SE stage 2": -1.5}
    plain, depends, undetermined = seen(tmp_path, effects).answer
    assert re.fullmatch(
        rf"Compared with SE in resnet20 .*, the error is higher for the plain network \(by {POINTS}\)\.",
        plain,
    )
    assert re.fullmatch(
        rf"The error depends on excitation: higher for SE relu and SE tanh \(by [\d.]+ and {POINTS}\);"
        rf" on stages: lower for SE stage 2 \(by {POINTS}\)\.",
        depends,
    )
    assert re.match(
        rf"{OPEN} are reduction, and SE stage 3: after 6 runs each, they may be as much as {POINTS} lower"
        rf" \(SE (r=\d|stage 3)\) or {POINTS} higher \(SE (r=\d|stage 3)\)",
        undetermined,
    )


def test_the_rows_at_both_ends_are_the_ones_whose_intervals_end_there(tmp_path: Path) -> None:
    plan = study_design(axes=AXES, seeds=6)
    results = Results(plan, write_record(tmp_path, simulated(plan, effects={"SE relu": 4.0}, sd=0.3)))
    left = {
        name: c.difference for name, c in results.comparisons.items() if c.reading.verdict == "undetermined"
    }
    lowest = min(left, key=lambda name: left[name].lo or 0.0)
    highest = max(left, key=lambda name: left[name].hi or 0.0)
    said = glance_of(results).answer[-1]
    assert f"points lower ({lowest}) or" in said.replace("the plain network", "plain")
    assert f"points higher ({highest})" in said.replace("the plain network", "plain")


def test_an_axis_whose_rows_are_all_equivalent_is_named_as_a_whole(tmp_path: Path) -> None:
    effects = {"plain": 2.0, "SE relu": 4.0, "SE tanh": 3.0}
    said = seen(tmp_path, effects, sd=0.01).answer[-1]
    assert said == "For reduction and stages it is shown to stay within 0.2 points."


def test_an_open_plain_network_is_among_what_is_undetermined(tmp_path: Path) -> None:
    first, rest = seen(tmp_path, {"SE relu": 4.0, "SE tanh": 3.0}).answer
    assert re.match(r"Compared with SE in resnet20 .*, the error depends on excitation: higher for", first)
    assert re.match(rf"{OPEN} are reduction and stages, and the plain network: after 6 runs each", rest)
    assert first.endswith("; no row is shown to be lower.")


def test_where_no_axis_makes_a_difference_the_rows_are_told_as_ever(tmp_path: Path) -> None:
    said = seen(tmp_path, {"plain": 2.0}, sd=0.3).answer
    assert re.match(r"Compared with .*, the error is higher for the plain network", said[0])
    assert re.match(f"{OPEN} are the other 6: after 6 runs each, ", said[1])


def test_one_axis_needs_no_axis_in_its_answer(tmp_path: Path) -> None:
    said = " ".join(seen(tmp_path, {"SE r=4": -1.0}, axes={"reduction": [4, 16]}).answer)
    assert "depends on" not in said
    assert "the error is lower for SE r=4" in said


def test_the_caption_says_what_the_baseline_and_plain_are(tmp_path: Path) -> None:
    caption = seen(tmp_path / "several", {}).caption
    assert (
        "The baseline has reduction 16, excitation sigmoid, stages all. Plain is the network without blocks."
        in caption
    )
    one = seen(tmp_path / "one", {}, axes={"reduction": [4, 16]}, include_plain=False).caption
    assert "baseline has" not in one
    assert "Plain" not in one


def test_the_caption_counts_the_verdicts_whose_sign_the_paper_has(tmp_path: Path) -> None:
    tables = ["table_11", "table_12"]  # the paper's differences are above 0 for relu and tanh, and for plain
    caption = seen(tmp_path, {"SE relu": 4.0, "SE tanh": -3.0, "plain": 2.0}, paper_tables=tables).caption
    assert "; it has the sign of ours in 2 of 3 rows shown to differ, not in SE tanh." in caption
    none = seen(tmp_path / "none", {}, paper_tables=tables, axes={"excitation": ["tanh", "sigmoid"]}).caption
    assert "sign of ours" not in none


def test_the_caption_names_the_rows_that_only_the_correction_leaves_open(tmp_path: Path) -> None:
    plan = study_design(axes=AXES, seeds=6)
    results = Results(plan, write_record(tmp_path, simulated(plan, effects={"SE stage 2": 0.5}, sd=0.3)))
    beside = [
        name
        for name, c in results.comparisons.items()
        if c.reading.verdict == "undetermined" and (c.difference.lo or 0.0) * (c.difference.hi or 0.0) > 0
    ]
    assert len(beside) == 1
    assert f", which leaves {beside[0]} undetermined though 0 is outside" in glance_of(results).caption


def test_a_plain_network_without_a_result_is_not_counted_among_the_runs(tmp_path: Path) -> None:
    plan = study_design(axes=AXES, seeds=6)
    failed = [("plain", seed) for seed in range(6)]
    lines = simulated(plan, effects={"SE relu": 4.0, "SE tanh": 3.0}, sd=0.1, fail=failed)
    said = " ".join(glance_of(Results(plan, write_record(tmp_path, lines))).answer)
    assert "plain" not in said
    assert "after 6 runs each" in said


def test_a_plain_network_of_another_name_is_among_the_rows(tmp_path: Path) -> None:
    effects = {"no block": 2.0, "SE relu": 4.0, "SE tanh": 3.0}
    glance = seen(tmp_path, effects, labels={"plain": "no block"})
    assert "the error is higher for no block (by" in glance.answer[0]
    assert "No block is the network without blocks." in glance.caption


def test_an_axis_is_not_called_by_its_name_where_a_row_has_no_result(tmp_path: Path) -> None:
    plan = study_design(axes=AXES, seeds=6)
    failed = [("SE r=4", seed) for seed in range(6)]
    lines = simulated(plan, effects={"SE relu": 4.0, "SE tanh": 3.0, "plain": 2.0}, sd=0.01, fail=failed)
    said = glance_of(Results(plan, write_record(tmp_path, lines))).answer[-1]
    assert said == "For stages, and SE r=8 it is shown to stay within 0.2 points."


def test_one_open_axis_takes_a_verb_in_the_singular(tmp_path: Path) -> None:
    axes = {"reduction": [4, 8, 16], "excitation": ["relu", "sigmoid"]}
    effects = {"SE relu": 4.0, "plain": 2.0}
    said = seen(tmp_path, effects, sd=0.3, axes=axes).answer[-1]
    assert re.match(
        rf"{OPEN} is reduction: after 6 runs each, they may be as much as {POINTS} lower \(SE r=\d\) or", said
    )


def test_a_verdict_that_was_taken_back_is_not_laid_to_the_correction(tmp_path: Path) -> None:
    plan = study_design(axes=AXES, seeds=8)
    failed = [("SE stage 2", seed) for seed in range(3)]
    lines = simulated(plan, effects={"SE stage 2": -3.0}, sd=0.1, fail=failed)
    results = Results(plan, write_record(tmp_path, lines))
    open_row = results.comparisons["SE stage 2"]
    assert open_row.reading.verdict == "undetermined"
    assert (open_row.difference.hi or 0.0) < 0
    assert "which leaves" not in glance_of(results).caption
