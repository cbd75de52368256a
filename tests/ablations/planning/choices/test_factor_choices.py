"""Studies of programs and functions that choose: what they may say, and what they may choose from."""

from __future__ import annotations

from typing import Any

import pytest

from ablations.planning.choices.arms import arms_of
from ablations.planning.design import Design, design
from ablations.planning.factors.row import FactorRow
from ablations.planning.study_file import parse_study
from senet_core.errors import UserError

BASE: dict[str, Any] = {
    "name": "x",
    "title": "t",
    "question": "q?",
    "experiment": {
        "command": ["train", "{rate}", "{size}", "{way}", "{seed}"],
        "metrics": {"score": "maximise", "held_out": "maximise", "bytes": "minimise"},
    },
    "baseline": {"rate": 0.1, "size": 8, "way": "a"},
    "axes": {"way": ["a", "b"]},
    "margin": 0.1,
}
TUNE: dict[str, Any] = {"validation_metric": "held_out", "ranges": {"rate": [0.01, 1]}}
SEARCH: dict[str, Any] = {"validation_metric": "held_out", "trials": 5}


def tuned(**tune: Any) -> Design:
    return design(parse_study({**BASE, "design": "tuned", "seeds": 2, "tune": {**TUNE, **tune}}))


def search(axes: dict[str, Any] | None = None, **fields: Any) -> Design:
    own = {"design": "search", "confirm": 2, "search": {**SEARCH, **fields}}
    return design(parse_study({**BASE, **own, "axes": BASE["axes"] if axes is None else axes}))


@pytest.mark.parametrize(
    ("tune", "words"),
    [
        ({"validation_metric": "score"}, "which the study reports: the best of many"),
        ({"validation_metric": "held-out"}, "did you mean 'held_out'"),
        ({"ranges": {}}, "tune.ranges is empty: name at least one factor"),
        ({"ranges": {"rat": [1, 2]}}, "did you mean 'rate'"),
        ({"ranges": {"way": {"choices": ["a", "b"]}}}, "way is an axis of the study"),
        ({"ranges": {"rate": [1, 0.1]}}, "low"),
        ({"ranges": {"size": {"choices": [8, 8]}}}, "a choice is given twice"),
        ({"validation_images": 40}, "validation_images"),
        ({"sampler": "nsga2"}, "tpe"),
    ],
)
def test_a_tuned_program_that_cannot_be_is_refused(tune: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words):
        tuned(**tune)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"validation_metric": "score"}, "which the study reports"),
        ({"objectives": ["bytes"]}, "must have held_out among them"),
        ({"objectives": ["held_out", "score"]}, "which the study reports"),
        ({"objectives": ["held_out", "parameters"]}, "unknown metric of search.objectives 'parameters'"),
        ({"objectives": ["held_out", "held_out"]}, "names one twice"),
        ({"ranges": {"way": [1, 2]}}, "way is an axis of the study"),
        ({"hours": 1}, "search.trials or by search.hours"),
        ({"any_stages": True}, "any_stages"),
        ({"sampler": "nsga2"}, "for several objectives"),
    ],
)
def test_a_search_of_a_program_that_cannot_be_is_refused(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words):
        search(**fields)


def test_a_range_of_what_is_no_number_is_refused() -> None:
    with pytest.raises(UserError, match="way is 'a' in the baseline, no number"):
        search({"rate": [0.1, 0.2]}, ranges={"way": [1, 2]})


def test_a_program_with_one_metric_has_nothing_to_choose_by() -> None:
    experiment = {**BASE["experiment"], "metrics": {"score": "maximise"}}
    study = {**BASE, "experiment": experiment, "design": "tuned", "seeds": 2, "tune": TUNE}
    with pytest.raises(UserError, match="has 'score' alone"):
        design(parse_study(study))


def test_a_search_needs_something_to_choose_from() -> None:
    with pytest.raises(UserError, match="nothing to compare"):
        search({})
    assert [d.name for d in arms_of(search({}, ranges={"rate": [0.01, 1]}))[0].space.dimensions] == ["rate"]


def test_whole_numbers_are_drawn_where_the_baseline_and_the_ends_are_whole() -> None:
    [arm] = arms_of(search(ranges={"rate": [0.01, 1], "size": [2, 64]}))
    found = {d.name: (d.whole, d.log) for d in arm.space.dimensions}
    assert found == {"way": (False, False), "rate": (False, True), "size": (True, True)}


def test_what_is_chosen_is_the_trial_that_a_study_would_have_with_these_values() -> None:
    """So it is trained once, whoever asks for it."""
    space = arms_of(search(ranges={"rate": [0.01, 1]}))[0].space
    row = space.row({"way": "b", "rate": 0.1})
    grid = design(parse_study({**BASE, "seeds": 2}))
    assert row.trial(0).key == next(r for r in grid.rows if r.label == "way=b").trial(0).key
    proposed = space.proposed_row({"way": "b", "rate": 0.1}).trial(0)
    assert proposed.proposed
    assert proposed.key != row.trial(0).key


def test_the_study_stands_in_its_own_space_or_not() -> None:
    inside, outside = arms_of(search(ranges={"rate": [0.01, 1]})), arms_of(search(ranges={"rate": [0.5, 1]}))
    assert inside[0].space.start == {"way": "a", "rate": 0.1}
    assert outside[0].space.start is None


def test_each_row_of_a_tuned_program_keeps_what_makes_it_another_row() -> None:
    arms = arms_of(tuned())
    assert [arm.label for arm in arms] == ["baseline", "way=b"]
    chosen = arms[1].space.row({"rate": 0.5})
    assert isinstance(chosen, FactorRow)
    assert chosen.trial(0).values == {"rate": 0.5, "size": 8, "way": "b"}
    assert chosen.label == "way=b"


def test_another_metric_to_judge_by_is_another_choice() -> None:
    assert arms_of(tuned())[0].asked != arms_of(tuned(validation_metric="bytes"))[0].asked
