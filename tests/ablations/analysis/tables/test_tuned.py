"""What tuning changed is tested within rows, seed by seed; a verdict that is there and one that is not show nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from scipy import stats

from ablations.analysis.results.results import Results
from ablations.analysis.results.tuning import tuned_rows
from ablations.analysis.tables.choices.tuned import changed_table, tuned_answer
from ablations.analysis.tables.render import to_markdown
from ablations.planning.choices.arms import arms_of
from ablations.running.record.proposals import Proposal, add_proposal
from tests.ablations.analysis.synthetic import line, study_design, write_record

TUNE = {"ranges": {"lr": {"choices": [0.1, 0.3]}}, "trials": 2, "validation_images": 500}
Errors = Mapping[str, Sequence[float]]


def tuned_results(folder: Path, fixed: Errors, tuned: Errors, *, better: str = "0.1") -> Results:
    """A study whose rows have chosen `better` for their rate, with these errors on the test images by seed."""
    seeds = len(next(iter(fixed.values())))
    plan = study_design(axes={"reduction": [4, 16]}, design="tuned", tune=TUNE, seeds=seeds)
    lines: list[dict[str, Any]] = []
    for arm in arms_of(plan):
        for number, lr in enumerate(("0.3", "0.1")):
            proposed = arm.space.proposed_row({"lr": lr})
            error = 10.0 if lr == better else 20.0
            lines.append(line(plan, replace(proposed, label=arm.label), 7, error))
            proposal = Proposal(arm.name, arm.asked, number, lines[-1]["key"], 7, {"lr": lr})
            add_proposal(folder, proposal)
        own = arm.space.row({"lr": better})
        base = next(row for row in plan.rows if row.label == arm.label)
        lines += [line(plan, base, seed, error) for seed, error in enumerate(fixed[arm.label])]
        if own.recipe != base.recipe:
            lines += [line(plan, own, seed, error) for seed, error in enumerate(tuned[arm.label])]
    return Results(plan, write_record(folder, lines))


FIXED = {
    "SE": [20.0, 21.0, 19.0, 20.5, 19.5],
    "plain": [19.1, 20.0, 17.8, 18.9, 19.0],
    "SE r=4": [20.2, 21.1, 19.4, 20.3, 19.9],
}
SHIFTED = {label: [value - 2 + 0.01 * seed for seed, value in enumerate(FIXED[label])] for label in FIXED}


def test_a_verdict_that_is_lost_is_no_change(tmp_path: Path) -> None:
    """Plain is better with the study's recipe and undetermined with its own, by a change that is all noise."""
    noise = {"plain": [0.9, -0.8, 1.1, -0.7, 0.4]}
    tuned = {
        label: [a + b for a, b in zip(values, noise.get(label, [0.0] * 5), strict=True)]
        for label, values in SHIFTED.items()
    }
    results = tuned_results(tmp_path, FIXED, tuned)
    assert results.fixed is not None
    verdicts = [each.comparisons["plain"].reading.verdict for each in (results.fixed, results)]
    assert verdicts == ["better", "undetermined"]
    assert tuned_answer(results) == (
        "Tuning lowered the error of every row; no row's difference to the baseline is shown to change."
    )
    table = changed_table(results)
    assert table is not None
    assert "| plain | 18.96 ± 0.97 (5) | 17.16" in to_markdown(table)
    assert "not shown to change" in to_markdown(table)


def test_differences_are_those_of_each_seed_and_corrected_over_rows(tmp_path: Path) -> None:
    tuned = {**SHIFTED, "SE r=4": [17.0, 19.9, 16.2, 18.1, 16.7]}
    rows = {row.label: row for row in tuned_rows(tuned_results(tmp_path, FIXED, tuned))}
    raw = {label: stats.ttest_rel(tuned[label], FIXED[label]).pvalue for label in FIXED}
    largest = max(raw, key=lambda label: raw[label])
    assert largest == "SE r=4"
    assert rows[largest].gain.p_corrected == pytest.approx(raw[largest])
    for label in ("plain", "SE r=4"):
        change = [(tuned[label][s] - tuned["SE"][s]) - (FIXED[label][s] - FIXED["SE"][s]) for s in range(5)]
        found = rows[label].change
        assert found is not None
        assert found.difference.mean == pytest.approx(sum(change) / 5)
        if label == "SE r=4":
            assert found.difference.t_p == pytest.approx(stats.ttest_1samp(change, 0).pvalue)
    assert rows["SE"].change is None


def test_a_change_that_is_shown_is_said_with_its_size(tmp_path: Path) -> None:
    tuned = {
        **SHIFTED,
        "SE r=4": [value + 3 + 0.1 * (seed % 2) for seed, value in enumerate(FIXED["SE r=4"])],
    }
    said = tuned_answer(tuned_results(tmp_path, FIXED, tuned))
    assert said is not None
    assert said.startswith(
        "Tuning lowered the error of SE, plain and raised the error of SE r=4; the difference to the baseline changed "
        "for SE r=4 (+5.02 ["
    )
    assert said.endswith("points, p = <0.001).")


def test_where_all_keep_the_recipe_nothing_is_shown(tmp_path: Path) -> None:
    results = tuned_results(tmp_path, FIXED, FIXED, better="0.3")
    assert tuned_answer(results) == (
        "Tuning is not shown to have changed any row's error; no row's difference to the baseline is shown to change."
    )
    assert all(row.gain.difference.mean == 0 for row in tuned_rows(results))


def test_nothing_is_tested_while_trials_are_missing(tmp_path: Path) -> None:
    results = tuned_results(tmp_path, FIXED, {**SHIFTED, "plain": SHIFTED["plain"][:4]})
    assert tuned_answer(results) is None
    for row in tuned_rows(results):
        assert (row.gain.p_corrected, row.gain.difference.lo, row.gain.is_shown) == (None, None, False)
    assert "no claim" in to_markdown(table) if (table := changed_table(results)) else False


def test_two_seeds_show_nothing(tmp_path: Path) -> None:
    few = {label: values[:2] for label, values in FIXED.items()}
    results = tuned_results(tmp_path, few, {label: values[:2] for label, values in SHIFTED.items()})
    assert tuned_answer(results) is None
    assert not any(row.gain.is_shown for row in tuned_rows(results))
