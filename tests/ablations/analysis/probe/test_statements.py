"""Each of the paper's statements is found where it is planted, denied where its opposite is, and else left open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from made_gates import NINE, network

from ablations.analysis.probe.statements import STATEMENTS, StatementFinding, judge
from ablations.analysis.probe.summary import NetworkSummary

Changed = Mapping[str, Mapping[str, float]]

NO_CLASS, ALL_CLASS = {"between": 0.0}, {"between": 0.1, "within": 0.0}
CLOSED, CONSTANT = {"level": 0.98, "between": 0.0, "within": 0.005}, {"between": 0.001, "within": 0.001}

PLANTED: dict[str, tuple[Changed, Changed]] = {
    "early-shared": ({"SE_2_3": NO_CLASS}, {"SE_2_3": ALL_CLASS}),
    "later-specific": (
        {"SE_2_3": NO_CLASS, "SE_3_3": ALL_CLASS, "SE_4_1": ALL_CLASS},
        {"SE_3_3": NO_CLASS, "SE_4_1": NO_CLASS},
    ),
    "saturated": ({"SE_4_2": CLOSED}, {}),
    "last-alike": ({"SE_4_3": {"shape": 0.2, "between": 0.01, "within": 0.01}}, {"SE_4_3": ALL_CLASS}),
    "last-less": (
        {"SE_4_2": CONSTANT, "SE_4_3": CONSTANT},
        {name: CONSTANT for name in NINE if name not in ("SE_4_2", "SE_4_3")},
    ),
    "within-as-between": ({}, dict.fromkeys(NINE, NO_CLASS)),
}
"""For each statement, what confirms it and what contradicts it."""


def found(key: str, *networks: NetworkSummary) -> StatementFinding:
    return next(one for one in judge(networks) if one.statement.key == key)


def test_all_statements_are_tried() -> None:
    assert [statement.key for statement in STATEMENTS] == list(PLANTED)


@pytest.mark.parametrize("key", PLANTED)
def test_what_is_planted_is_found(key: str) -> None:
    confirms, contradicts = PLANTED[key]
    for judgement, changed in (("confirmed", confirms), ("contradicted", contradicts)):
        one = found(key, *(network(seed, changed) for seed in range(4)))
        assert (one.judgement, one.why) == (judgement, "")
        assert one.estimate.n == 4
        assert one.units


@pytest.mark.parametrize("key", PLANTED)
def test_networks_that_disagree_leave_it_open(key: str) -> None:
    confirms, contradicts = PLANTED[key]
    one = found(key, network(0, confirms), network(1, contradicts))
    assert (one.judgement, one.why) == ("undetermined", "")
    assert one.estimate.lo is not None


def test_one_seed_decides_nothing() -> None:
    assert {(one.judgement, one.why) for one in judge([network()])} == {
        ("undetermined", "an interval needs two seeds")
    }


def test_units_take_the_place_of_the_papers_by_their_role() -> None:
    units = {one.statement.key: one.units for one in judge([network(0), network(1)])}
    assert units["early-shared"] == ("SE_2_3",)
    assert units["later-specific"] == ("SE_3_3", "SE_4_1", "SE_2_3")
    assert units["saturated"] == ("SE_4_2",)
    assert units["last-alike"] == ("SE_4_3",)
    assert units["last-less"] == ("SE_4_2", "SE_4_3")


@pytest.mark.parametrize(
    ("names", "key", "why"),
    [
        (NINE[:3], "later-specific", "the network has gates in one stage only"),
        (NINE[:8], "saturated", "the last stage with gates has fewer than 3 units"),
        (NINE[:8], "last-alike", "the last stage with gates has fewer than 3 units"),
        (NINE[:8], "last-less", "the last stage with gates has fewer than 3 units"),
    ],
)
def test_a_statement_about_a_unit_that_is_not_there_is_open(
    names: tuple[str, ...], key: str, why: str
) -> None:
    one = found(key, network(0, names=names), network(1, names=names))
    assert (one.judgement, one.why, one.units) == ("undetermined", why, ())


def test_an_excitation_without_ends_is_never_saturated() -> None:
    one = found("saturated", network(0, ends=None), network(1, ends=None))
    assert (one.judgement, one.why) == ("undetermined", "SE_4_2: its excitation has no upper end")


def test_gates_that_never_vary_say_nothing_of_classes() -> None:
    still: dict[str, Any] = {name: {"between": 0.0, "within": 0.0, "shape": 0.1} for name in NINE}
    one = found("within-as-between", network(0, still), network(1, still))
    assert one.why == "no gate varies over images, or there are too few images"
    units = network(0, still).units
    assert {unit.values["class_share"] for unit in units} == {None}
    assert [unit.values["constant_error"] for unit in units] == pytest.approx([0] * 9, abs=1e-6)


def test_the_figures_are_those_of_the_units() -> None:
    networks = [network(seed) for seed in range(3)]
    shares = [one.units[2].values["class_share"] for one in networks]
    estimate = found("early-shared", *networks).estimate
    assert estimate.mean == pytest.approx(np.mean([share or 0 for share in shares]))
    half = 4.302652729911275 * np.std([share or 0 for share in shares], ddof=1) / np.sqrt(3)  # t(2) at 97.5 %
    assert estimate.half_width == pytest.approx(half)
