"""Studies that choose: what they may say, and what they may choose from."""

from __future__ import annotations

from typing import Any

import pytest

from ablations.planning.choices.arms import arms_of
from ablations.planning.design import Design, design
from ablations.planning.networks.choosing import NUMBERS, WHOLE_NUMBERS
from ablations.planning.networks.recipe import Recipe
from ablations.planning.networks.recipes import rules
from ablations.planning.study_file import parse_study
from senet_core.errors import UserError
from senet_core.variants.variant import SEVariant

BASE: dict[str, Any] = {
    "name": "x",
    "title": "t",
    "question": "q?",
    "baseline": {"backbone": "resnet8", "variant": "se:reduction=8", "data": "digits"},
    "recipe": {"base": "cifar-quick", "epochs": 1, "batch_size": 32},
    "axes": {"squeeze": ["avg", "max"], "reduction": [2, 8]},
}
TUNE = {"validation_images": 100}
SEARCH = {"trials": 5, "validation_images": 100}


def unfolded(**fields: Any) -> Design:
    return design(parse_study({**BASE, **fields}))


def tuned(**tune: Any) -> Design:
    return unfolded(design="tuned", seeds=2, tune={**TUNE, **tune})


def search(axes: dict[str, Any] | None = None, **fields: Any) -> Design:
    return unfolded(design="search", axes=axes or BASE["axes"], confirm=2, search={**SEARCH, **fields})


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"design": "tuned", "seeds": 2}, "design 'tuned' needs the field tune"),
        ({"design": "search", "confirm": 2}, "design 'search' needs the field search"),
        ({"seeds": 2, "tune": TUNE}, "design 'one-factor' does not go with the field tune"),
        ({"design": "search", "search": SEARCH, "confirm": 2, "seeds": 3}, "a search has no seeds"),
        ({"design": "search", "search": SEARCH}, "a search needs `confirm: N`"),
        ({"design": "search", "search": SEARCH, "confirm": 2, "axes": {}}, "a search needs axes"),
        (
            {"design": "search", "search": {"validation_images": 9}, "confirm": 2},
            "search.trials or by search.hours",
        ),
        (
            {"design": "search", "search": {**SEARCH, "hours": 1}, "confirm": 2},
            "search.trials or by search.hours",
        ),
        (
            {"design": "search", "search": {**SEARCH, "objectives": ["parameters"]}, "confirm": 2},
            "must have validation_error among them",
        ),
        (
            {
                "design": "search",
                "confirm": 2,
                "search": {**SEARCH, "objectives": ["validation_error", "latency"], "pruner": "median"},
            },
            "works with one objective only",
        ),
        (
            {"design": "search", "search": {**SEARCH, "sampler": "nsga2"}, "confirm": 2},
            "is for several objectives",
        ),
        (
            {"design": "tuned", "seeds": 2, "tune": {**TUNE, "ranges": {"rate": [1, 2]}}},
            "field of the recipe 'rate'",
        ),
        (
            {"design": "tuned", "seeds": 2, "tune": {**TUNE, "ranges": {"lr": [1, 0.1]}}},
            "low must be below high",
        ),
        ({"design": "tuned", "seeds": 2, "tune": {**TUNE, "ranges": {"lr": [-1, 1]}}}, "lr must be above 0"),
        (
            {"design": "tuned", "seeds": 2, "tune": {**TUNE, "ranges": {"epochs": [1, 2]}}},
            "the length of the training",
        ),
        (
            {"design": "tuned", "seeds": 2, "tune": {**TUNE, "ranges": {"crop": [1, 2]}}},
            "crop cannot be drawn from a range: give choices",
        ),
        (
            {"design": "tuned", "seeds": 2, "tune": {**TUNE, "ranges": {"start_size": [8, 16]}}},
            "start_size cannot be drawn from a range: give choices",
        ),
        (
            {
                "design": "tuned",
                "seeds": 2,
                "tune": {
                    **TUNE,
                    "ranges": {"momentum": {"choices": [0.0, 0.9]}, "nesterov": {"choices": [True, False]}},
                },
                "recipe": {**BASE["recipe"], "nesterov": False},
            },
            "could choose momentum 0.0, nesterov True, and .*momentum",
        ),
        (
            {"design": "tuned", "seeds": 2, "tune": {**TUNE, "trails": 5}},
            "unknown field 'tune.trails'; did you mean 'tune.trials'",
        ),
        (
            {"design": "tuned", "seeds": 2, "tune": {**TUNE, "ranges": {"pad": [1, 2.5]}}},
            "whole numbers, got 2.5",
        ),
        ({"design": "tuned", "seeds": 2, "tune": {**TUNE, "ranges": {}}}, "tune.ranges is empty"),
        (
            {"design": "tuned", "seeds": 2, "tune": TUNE, "axes": {"recipe.lr": [0.1, 0.2]}},
            "recipe.lr is an axis of the study",
        ),
        (
            {"design": "tuned", "seeds": 2, "tune": TUNE, "axes": {"repeat": [1]}},
            "not for a choice",
        ),
        (
            {
                "design": "tuned",
                "seeds": 2,
                "tune": TUNE,
                "baseline": {**BASE["baseline"], "data": {"name": "digits", "validation_images": 20}},
            },
            "validation_images belong to tune or search",
        ),
    ],
)
def test_what_does_not_go_together_is_refused_in_one_line(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words) as caught:
        arms_of(unfolded(**fields))
    assert "\n" not in str(caught.value)


def test_batches_must_fit_what_is_left_of_the_training_images() -> None:
    with pytest.raises(UserError, match="batch_size is 300, and there are 297 training images"):
        unfolded(
            design="tuned",
            seeds=2,
            tune={"validation_images": 1000},
            recipe={"base": "cifar-quick", "batch_size": 300},
        )


def test_every_row_has_an_arm_with_the_same_budget_and_ranges() -> None:
    found = tuned(trials=7)
    arms = arms_of(found)
    assert [arm.name for arm in arms] == [row.label for row in found.rows]
    assert {arm.trials for arm in arms} == {7}
    assert len({arm.space.dimensions for arm in arms}) == 1
    assert len({arm.asked for arm in arms}) == len(arms)


def test_a_choice_of_values_comes_back_as_they_were_given() -> None:
    ranges = {
        "schedule": {"choices": ["linear", "cosine"]},
        "pad": [0, 4],
        "nesterov": {"choices": [True, False]},
    }
    arm = arms_of(tuned(ranges=ranges))[0]
    row = arm.space.row({"schedule": "cosine", "pad": 3, "nesterov": "False"})
    assert (row.recipe.schedule, row.recipe.pad, row.recipe.nesterov) == ("cosine", 3, False)


RANGES: dict[str, tuple[float, float]] = {
    "momentum": (0.5, 0.99), "eps": (1e-9, 1e-6), "clip_norm": (0.5, 5), "restarts": (0, 3), "gamma": (0.1, 0.5),
    "mixup": (0.1, 1), "cutmix": (0.1, 1), "warmup_lr": (0.01, 0.1), "focal_gamma": (1, 3),
    "full_size_from": (0.2, 0.8), "batch_size": (16, 64), "patience": (2, 6), "cuts": (1, 3), "watched": (0.1, 0.2),
}  # fmt: skip
"""Ranges of fields in which one from 0 to 0.5 makes no sense."""

BESIDE: dict[str, dict[str, Any]] = {
    "eps": {"optimizer": "adamw"}, "focal_gamma": {"loss": "focal"}, "warmup_lr": {"warmup": 0.1},
    "restarts": {"schedule": "cosine"}, "full_size_from": {"start_size": 8, "full_size_from": 0.5},
    **{name: {"schedule": "plateau", "patience": 5, "cuts": 2, "watched": 0.1} for name in (*rules.PLATEAU, "watched")},
}  # fmt: skip


@pytest.mark.parametrize("field", [*NUMBERS, *WHOLE_NUMBERS])
def test_every_number_of_a_recipe_can_be_chosen_from_a_range(field: str) -> None:
    low, high = RANGES.get(field, (0, 4) if field in WHOLE_NUMBERS else (0, 0.5))
    low = 0.01 if field == "lr" else low
    recipe = {**BASE["recipe"], **BESIDE.get(field, {})}
    found = unfolded(design="tuned", seeds=2, tune={**TUNE, "ranges": {field: [low, high]}}, recipe=recipe)
    middle = (low + high) // 2 if field in WHOLE_NUMBERS else (low + high) / 2
    assert getattr(arms_of(found)[0].space.row({field: middle}).recipe, field) == middle


def test_no_number_was_forgotten() -> None:
    """What cannot be drawn: the length, a size that must be a multiple of four, and what is no single number."""
    numbers = {
        name
        for name, field in Recipe.model_fields.items()
        if field.annotation in (int, float, int | None, float | None)
    }
    assert numbers - {"epochs", "iterations", "start_size"} == {*NUMBERS, *WHOLE_NUMBERS}


def test_the_studys_own_recipe_is_where_a_tuning_starts() -> None:
    assert arms_of(tuned())[0].space.start == {"lr": 0.3, "weight_decay": 5e-4}
    assert arms_of(tuned(ranges={"lr": [0.4, 0.5]}))[0].space.start is None
    decayed = {"recipe": {**BASE["recipe"], "weight_decay": 0, "schedule": "step", "milestones": [0.5, 0.75]}}
    found = unfolded(
        design="tuned",
        seeds=2,
        tune={
            **TUNE,
            "ranges": {
                "weight_decay": {"choices": [0, 0.0005]},  # a file says 0 where the recipe holds 0.0
                "milestones": {"choices": [[0.5], [0.5, 0.75]]},
            },
        },
        **decayed,
    )
    assert arms_of(found)[0].space.start == {"weight_decay": "0", "milestones": "[0.5, 0.75]"}


def test_reductions_and_stages_are_chosen_one_by_one() -> None:
    space = arms_of(search(any_stages=True, reduction_per_stage=True))[0].space
    assert [d.name for d in space.dimensions] == [
        "squeeze",
        *(f"stage {k}" for k in (2, 3, 4)),
        *(f"reduction in stage {k}" for k in (2, 3, 4)),
    ]
    params = {
        "squeeze": "max", "stage 2": True, "stage 3": False, "stage 4": True,
        "reduction in stage 2": "2", "reduction in stage 3": "2", "reduction in stage 4": "8",
    }  # fmt: skip
    assert space.row(params).variant == SEVariant(squeeze="max", stages=(2, 4), reduction=((2, 2), (4, 8)))
    none = params | {f"stage {k}": False for k in (2, 3, 4)}
    assert space.row(none).variant is None  # no blocks at all are the plain network
    assert space.start is not None
    assert space.row(space.start).identity == search().baseline.identity


def test_a_baseline_with_blocks_in_some_stages_is_where_a_search_starts() -> None:
    found = search(any_stages=True, reduction_per_stage=True)
    variant = "se:reduction=8,stages=3+4"
    partial = unfolded(
        design="search",
        confirm=2,
        search={**SEARCH, "any_stages": True, "reduction_per_stage": True},
        baseline={**BASE["baseline"], "variant": variant},
    )
    start = arms_of(partial)[0].space.start
    assert start is not None
    assert start["stage 2"] is False
    assert "reduction in stage 2" not in start
    assert arms_of(found)[0].asked != arms_of(partial)[0].asked


def test_any_two_choices_are_looked_at_and_those_of_a_single_axis() -> None:
    two = arms_of(search(axes={"squeeze": ["avg", "max"], "reduction": [2, 4, 8]}))[0].space
    assert len({tuple(params.items()) for params in two.pairs}) == 6
    one = arms_of(search(axes={"squeeze": ["avg", "max", "none"]}))[0].space
    assert [params["squeeze"] for params in one.pairs] == ["avg", "max", "none"]


def test_a_repetition_is_another_choice() -> None:
    assert len({arms_of(search(repetition=number))[0].asked for number in range(3)}) == 3


def test_a_search_whose_baseline_lies_outside_starts_anywhere() -> None:
    assert arms_of(search(axes={"reduction": [2, 4]}))[0].space.start is None


@pytest.mark.parametrize(
    ("axes", "fields", "words"),
    [
        ({"stages": [[2], [3]]}, {"any_stages": True}, "one of the two"),
        ({"squeeze": ["avg", "max"]}, {"reduction_per_stage": True}, "needs the axis 'reduction'"),
        (
            {"backbone": ["resnet20", "resnet18"], "reduction": [2]},
            {"reduction_per_stage": True},
            "backbones have different ones",
        ),
    ],
)
def test_spaces_that_cannot_be_are_refused(axes: dict[str, Any], fields: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words):
        search(axes=axes, **fields)


def test_two_choices_that_do_not_go_together_are_refused_before_anything_is_proposed() -> None:
    with pytest.raises(UserError, match="study 'x' could choose backbone resnet20, stages 5, and ") as caught:
        unfolded(
            design="search",
            confirm=2,
            search=SEARCH,
            baseline={"backbone": "resnet18", "variant": "se:reduction=8", "data": "cifar10"},
            axes={"backbone": ["resnet18", "resnet20"], "stages": ["all", [5]]},
        )
    assert "\n" not in str(caught.value)
