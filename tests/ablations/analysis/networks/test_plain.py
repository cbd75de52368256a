"""Every variant compared with the plain network: a family of its own, which leaves the study's verdicts as they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ablations.analysis.networks.plain import plain_pairs, variants_of_plain
from ablations.analysis.report.content import content_of
from ablations.analysis.report.network_sections import TITLE
from ablations.analysis.results.results import Results
from ablations.analysis.stats.holm import holm
from tests.ablations.analysis.synthetic import simulated, study_design, write_record


def results_of(
    folder: Path, *, skip: Any = (), effects: dict[str, float] | None = None, **changes: Any
) -> Results:
    plan = study_design(**{"axes": {"reduction": [4, 16, 32]}, "seeds": 6, **changes})
    return Results(plan, write_record(folder, simulated(plan, effects=effects or {}, sd=0.1, skip=skip)))


def test_differences_are_those_of_the_same_seeds(tmp_path: Path) -> None:
    results = results_of(tmp_path, effects={"plain": -1.0})
    values = results.values(rows=results.design.rows).pivot(index="seed", columns="variant", values="value")
    found = {c.variant: c for c in plain_pairs(results)}
    assert list(found) == ["SE r=4", "SE r=32"]
    for label, comparison in found.items():
        assert comparison.against == "plain"
        assert comparison.difference.mean == pytest.approx(np.mean(values[label] - values["plain"]))
        assert comparison.reading.verdict == "worse"


def test_they_are_corrected_for_each_other(tmp_path: Path) -> None:
    found = plain_pairs(results_of(tmp_path, effects={"plain": 0.1}))
    assert {c.members for c in found} == {2}
    assert [c.p_corrected for c in found] == pytest.approx(holm([c.difference.t_p for c in found]))
    assert min(c.p_corrected or 0 for c in found) > min(c.difference.t_p or 1 for c in found)


def test_the_studys_own_comparisons_stay_as_they_are(tmp_path: Path) -> None:
    own = results_of(tmp_path / "a", effects={"plain": 0.1})
    plain_pairs(own)
    again = results_of(tmp_path / "b", effects={"plain": 0.1})
    assert {label: c.p_corrected for label, c in own.comparisons.items()} == {
        label: c.p_corrected for label, c in again.comparisons.items()
    }


def test_rows_that_differ_in_more_than_blocks_are_left_out(tmp_path: Path) -> None:
    axes = {"backbone": ["resnet20", "resnet56"], "recipe.lr": [0.1, 0.2], "squeeze": ["avg", "max"]}
    results = results_of(tmp_path, axes=axes)
    kept = [row.label for row in variants_of_plain(results)]
    every = [row.label for row in results.design.rows]
    assert len(kept) == 1
    assert "max" in kept[0]
    assert len(every) == 6


@pytest.mark.parametrize(
    ("changes", "skip"),
    [({"include_plain": False}, ()), ({"axes": {"reduction": [16]}}, ()), ({}, [("SE r=4", 0)])],
    ids=["no plain network", "the baseline alone beside it", "unfinished"],
)
def test_there_are_none_where_there_is_nothing_more_to_say(
    tmp_path: Path, changes: dict[str, Any], skip: Any
) -> None:
    results = results_of(tmp_path, skip=skip, **changes)
    assert plain_pairs(results) == ()
    assert TITLE not in [extra.title for extra in content_of(results).extras]


def test_the_report_folds_them_and_says_that_their_rate_comes_on_top(tmp_path: Path) -> None:
    [extra] = [extra for extra in content_of(results_of(tmp_path)).extras if extra.title == TITLE]
    [table] = extra.tables
    assert extra.folded
    assert len(table.rows) == 2
    assert "come on top of those of the other verdicts" in table.notes[-1]
