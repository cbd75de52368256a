"""Fractional designs: every pair of levels occurs, in few rows, the same ones in every call."""

from __future__ import annotations

from itertools import combinations, product
from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ablations.planning.design import design
from ablations.planning.designs.pairwise import covering_rows
from ablations.planning.row import REPEAT_STRIDE
from ablations.planning.study_file import parse_study
from senet_core.errors import UserError
from tests.ablations.analysis.synthetic import study_design

SIZES = st.lists(st.integers(1, 4), min_size=2, max_size=5)


@given(SIZES, st.data())
def test_every_pair_of_levels_occurs(sizes: list[int], data: st.DataObject) -> None:
    first = data.draw(st.one_of(st.none(), st.tuples(*(st.integers(0, size - 1) for size in sizes))))
    rows = covering_rows(sizes, first)
    for a, b in combinations(range(len(sizes)), 2):
        assert {(row[a], row[b]) for row in rows} == set(product(range(sizes[a]), range(sizes[b])))
    assert rows == covering_rows(sizes, first)
    assert len(set(rows)) == len(rows) <= prod(sizes)
    assert first is None or rows[0] == first


@pytest.mark.parametrize(
    ("sizes", "most"),
    [([3, 3, 3], 10), ([3, 3, 3, 3], 9), ([2] * 10, 9), ([5, 3, 3, 4, 5, 2], 28), ([4], 4), ([], 0)],
)
def test_rows_are_few(sizes: list[int], most: int) -> None:
    assert len(covering_rows(sizes)) <= most


def test_a_pairwise_study_begins_with_its_baseline_and_has_few_cells() -> None:
    axes = {
        "squeeze": ["max", "avg", "none"],
        "excitation": ["relu", "tanh", "sigmoid"],
        "reduction": [4, 8, 16],
    }
    plan = study_design(design="pairwise", axes=axes)
    assert plan.rows[0] is plan.baseline
    assert len(plan.rows) <= 10 + 1  # and plain, of 27 + 1 in the grid
    rows = [dict(row.values) for row in plan.rows if row is not plan.plain]
    assert {(c["squeeze"], c["excitation"]) for c in rows} == set(
        product(axes["squeeze"], axes["excitation"])
    )


def test_a_pairwise_study_whose_baseline_is_on_no_axis_keeps_it_beside() -> None:
    plan = study_design(design="pairwise", axes={"reduction": [4, 8], "squeeze": ["max", "none"]})
    assert len(plan.rows) == 2 * 2 + 2


def test_a_repeat_is_the_same_network_with_seeds_of_its_own() -> None:
    plan = study_design(axes={"repeat": [0, 1, 2]}, include_plain=False, seeds=3)
    assert [row.label for row in plan.rows] == ["SE", "SE repeat 1", "SE repeat 2"]
    assert {(row.backbone, row.variant, row.recipe) for row in plan.rows} == {
        (plan.baseline.backbone, plan.baseline.variant, plan.baseline.recipe)
    }
    assert sorted(trial.seed for trial in plan.trials) == sorted(
        seed + k * REPEAT_STRIDE for k in range(3) for seed in range(3)
    )
    assert len({trial.key for trial in plan.trials}) == 9


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"axes": {"repeat": [0, 1.5]}}, "a repeat is a whole number from 0, got 1.5"),
        ({"axes": {"repeat": [0, -1]}}, "a repeat is a whole number from 0, got -1"),
        ({"axes": {"repeat": [1, 1]}}, "axis 'repeat' has the value '1' twice"),
        ({"axes": {"repeat": [1]}, "seeds": [10_000]}, "seeds must be below 10000"),
    ],
)
def test_a_repeat_that_is_wrong_is_refused(changes: dict[str, object], said: str) -> None:
    with pytest.raises(UserError, match=said):
        study_design(**changes)


@pytest.mark.parametrize("margin", [0, -0.1, "wide", float("inf"), float("nan")])
def test_a_margin_is_a_positive_number(margin: object) -> None:
    with pytest.raises(UserError, match=r"margin must be"):
        design(parse_study({**study_design().study.model_dump(), "margin": margin}))
