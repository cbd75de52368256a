"""A study may name its rows: the names are shown, and nothing else changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ablations.errors import StudyError
from ablations.planning.choices.arms import arms_of
from ablations.planning.commands import StudyCommands
from ablations.planning.design import Design, design
from ablations.planning.networks.study import NetworkStudy
from ablations.planning.study_file import load_study, parse_study
from tests.ablations.planning.unfolding import labels, refusal

MakeStudy = Callable[..., NetworkStudy]
AXES = {"reduction": [2, 4], "excitation": ["sigmoid", "tanh"]}


def unfolded(make_study: MakeStudy, names: dict[Any, str], **changes: Any) -> Design:
    return design(make_study(**{"axes": AXES, "labels": names, **changes}))


@pytest.mark.parametrize("means", ["SE tanh r=4", "excitation=tanh", "tanh"])
def test_a_row_is_named_by_its_label_or_by_its_value(make_study: MakeStudy, means: str) -> None:
    plan = unfolded(make_study, {means: "Ours"})
    assert labels(plan.rows) == ["SE r=4", "plain", "SE r=2", "Ours"]
    assert labels(plan.on_axis("excitation")) == ["SE r=4", "Ours"]
    assert {label for _, rows in plan.families for label in labels(rows)} == set(labels(plan.rows))


def test_baseline_and_plain_network_have_names_too(make_study: MakeStudy) -> None:
    plan = unfolded(make_study, {"SE r=4": "Ours", "plain": "ResNet-8"})
    assert (plan.baseline.label, plan.plain and plan.plain.label) == ("Ours", "ResNet-8")


def test_a_whole_number_is_a_value(make_study: MakeStudy) -> None:
    assert labels(unfolded(make_study, {2: "Wide"}).rows) == ["SE r=4", "plain", "Wide", "SE tanh r=4"]


def test_trials_and_their_order_stay(make_study: MakeStudy) -> None:
    named, bare = unfolded(make_study, {"tanh": "Ours", "plain": "ResNet"}), unfolded(make_study, {})
    assert [trial.key for trial in named.trials] == [trial.key for trial in bare.trials]
    assert [row.values for row in named.rows] == [row.values for row in bare.rows]


def test_the_proposals_of_a_tuned_study_are_found_again(make_study: MakeStudy) -> None:
    chooses = {"design": "tuned", "tune": {"validation_images": 40}}
    named, bare = (arms_of(unfolded(make_study, n, **chooses)) for n in ({"tanh": "Ours"}, {}))
    assert [(arm.name, arm.asked) for arm in named] == [(arm.name, arm.asked) for arm in bare]
    assert [arm.label for arm in named] == ["SE r=4", "plain", "SE r=2", "Ours"]


def test_a_row_is_trained_alone_under_both_names(make_study: MakeStudy) -> None:
    plan = unfolded(make_study, {"tanh": "Ours, at last"})
    assert labels(plan.only(["Ours, at last"]).rows) == labels(plan.only(["SE tanh r=4"]).rows)
    assert StudyCommands(plan.study).row(plan, plan.rows[-1]) == "ablate run small --only 'Ours, at last'"


def test_names_survive_a_file_that_is_made_of_the_study(make_study: MakeStudy) -> None:
    study = make_study(axes=AXES, labels={2: "Wide"})
    assert parse_study(study.fields()) == study
    assert load_study(study.fields()).labels == {"2": "Wide"}


@pytest.mark.parametrize(
    ("names", "changes", "said"),
    [
        (
            {"SE tahn": "x"},
            {},
            "labels: unknown row 'SE tahn'; did you mean 'SE tanh r=4'? rows: SE r=4, plain, SE r=2, SE tanh r=4",
        ),
        ({"excitation=relu": "x"}, {}, "labels: unknown row 'excitation=relu'; did you mean"),
        ({"tanh": "x", "SE tanh r=4": "y"}, {}, "labels: 'SE tanh r=4' and 'tanh' are one row; name it once"),
        ({"tanh": "plain"}, {}, "labels: the rows 'plain' and 'SE tanh r=4' would both be called 'plain'"),
        (
            {"tanh": "x"},
            {"design": "grid"},
            "labels: 'tanh' is in several rows; name one of 'SE tanh r=2', 'SE tanh r=4'",
        ),
    ],
)
def test_a_name_for_no_row_or_several_is_refused(
    make_study: MakeStudy, names: dict[str, str], changes: dict[str, Any], said: str
) -> None:
    assert said in refusal(make_study(axes=AXES, labels=names, **changes))


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ({"plain": ""}, "the name of 'plain' must be one line of 1 to 80 printable characters, got ''"),
        ({"plain": "a\nb"}, "the name of 'plain' must be one line"),
        ({"plain": "\x1b[31m"}, "the name of 'plain' must be one line"),
        ({"plain": "x" * 81}, "the name of 'plain' must be one line"),
        ({"plain": 3}, "labels.plain must be text, got 3"),
        (["plain"], "labels must be a mapping"),
        ({True: "x"}, "labels"),
    ],
)
def test_what_is_no_name_is_refused(make_study: MakeStudy, names: Any, said: str) -> None:
    with pytest.raises(StudyError, match=r"study 'small': labels") as caught:
        make_study(labels=names)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
