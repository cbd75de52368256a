"""Values of axes: one network is one row however it is spelled, and what does not fit is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ablations.planning.design import design
from ablations.planning.networks.study import NetworkStudy
from senet_core import SEVariant
from tests.ablations.planning.unfolding import GIVEN, SE, labels, refusal

MakeStudy = Callable[..., NetworkStudy]


class TestRecipeAxis:
    def test_changes_the_recipe_and_names_the_value_in_every_row(self, make_study: MakeStudy) -> None:
        unfolded = design(make_study(axes={"recipe.lr": [0.1, 0.3], "recipe.flip": [False]}))
        assert labels(unfolded.rows) == [
            "SE r=4 lr=0.3 flip=True",
            "plain lr=0.3 flip=True",
            "SE r=4 lr=0.1 flip=True",
            "SE r=4 lr=0.3 flip=False",
        ]
        assert [(row.recipe.lr, row.recipe.flip) for row in unfolded.rows[2:]] == [
            (0.1, True),
            (0.3, False),
        ]
        assert {row.variant for row in unfolded.rows} == {SE, None}
        assert dict(unfolded.rows[2].values) == {"recipe.lr": "0.1", "recipe.flip": "True"}
        assert labels(unfolded.on_axis("recipe.lr")) == ["SE r=4 lr=0.1 flip=True", "SE r=4 lr=0.3 flip=True"]

    def test_takes_lists_where_the_field_is_one(self, make_study: MakeStudy) -> None:
        recipe = {"epochs": 10, "schedule": "step", "milestones": [0.5]}
        unfolded = design(make_study(recipe=recipe, axes={"recipe.milestones": [[0.4, 0.8], [0.5]]}))
        assert [row.recipe.milestones for row in unfolded.on_axis("recipe.milestones")] == [
            (0.4, 0.8),
            (0.5,),
        ]

    @pytest.mark.parametrize(
        ("axes", "message"),
        [
            ({"recipe.lr": ["fast"]}, "axis 'recipe.lr': lr must be a number, got 'fast'"),
            ({"recipe.lr": [0]}, "axis 'recipe.lr': lr must be above 0, got 0"),
            ({"recipe.warmup": [1]}, "axis 'recipe.warmup': warmup must be below 1, got 1"),
            (
                {"recipe.iterations": [9]},
                "axis 'recipe.iterations': give the length of the training by epochs or by iterations, one of the two",
            ),
            ({"recipe.lr": [0.1, 0.10]}, "axis 'recipe.lr' has the value '0.1' twice"),
            ({"recipe.epochs": [5, 5.0]}, "axis 'recipe.epochs' has the value '5' twice"),
        ],
        ids=str,
    )
    def test_that_is_wrong_is_refused(
        self, make_study: MakeStudy, axes: dict[str, Any], message: str
    ) -> None:
        assert refusal(make_study(axes=axes)) == f"study 'small': {message}"

    @pytest.mark.parametrize("values", [[0.1234567, 0.1234568], [1e-3, 1.0000001e-3]])
    def test_labels_tell_near_values_apart(self, make_study: MakeStudy, values: list[float]) -> None:
        unfolded = design(make_study(axes={"recipe.lr": values}))
        assert len(set(labels(unfolded.rows))) == len(unfolded.rows)


class TestNormalForm:
    def test_one_network_is_one_row(self, make_study: MakeStudy) -> None:
        baseline = {**GIVEN, "variant": {"stages": [2, 3, 4], "reduction": {2: 4, 3: 4, 4: 4}}}
        unfolded = design(make_study(baseline=baseline))
        assert unfolded.baseline.variant == SE
        assert labels(unfolded.on_axis("reduction")) == ["SE r=2", "SE r=4", "SE r=8"]
        plain_text = design(make_study(baseline={**GIVEN, "variant": "se:reduction=4"}))
        assert [trial.key for trial in plain_text.trials] == [trial.key for trial in unfolded.trials]

    def test_reductions_per_stage_are_a_value(self, make_study: MakeStudy) -> None:
        unfolded = design(make_study(axes={"reduction": [{2: 2, 3: 4, 4: 8}, 4]}))
        row = unfolded.rows[2]
        assert (row.label, row.variant) == ("SE r=2:2/3:4/4:8", SEVariant(reduction={2: 2, 3: 4, 4: 8}))
        assert dict(row.values) == {"reduction": "2:2/3:4/4:8"}

    @pytest.mark.parametrize(
        ("axes", "axis", "text"),
        [
            ({"reduction": [4, 4]}, "reduction", "4"),
            ({"reduction": [8, {2: 8, 3: 8, 4: 8}]}, "reduction", "8"),
            ({"reduction": [{2: 2, 3: 8, 4: 8}, {4: 8, 3: 8, 2: 2}]}, "reduction", "2:2/3:8/4:8"),
            ({"stages": ["all", [2, 3, 4]]}, "stages", "all"),
            ({"stages": [[2, 3], [3, 2]]}, "stages", "2+3"),
            ({"stages": [2, [2]]}, "stages", "2"),
            ({"squeeze": ["max", "avg", "max"]}, "squeeze", "max"),
            ({"bias": [True, True]}, "bias", "true"),
            ({"backbone": ["resnet14", "resnet14"]}, "backbone", "resnet14"),
        ],
        ids=str,
    )
    @pytest.mark.parametrize("kind", ["one-factor", "grid"])
    def test_one_value_twice_is_refused_however_it_is_spelled(
        self, make_study: MakeStudy, kind: str, axes: dict[str, Any], axis: str, text: str
    ) -> None:
        study = make_study(axes=axes, design=kind)
        assert refusal(study) == f"study 'small': axis {axis!r} has the value {text!r} twice"


@pytest.mark.parametrize(
    ("axes", "message"),
    [
        (
            {"squeeze": ["maxx"]},
            "axis 'squeeze': unknown squeeze 'maxx'; did you mean 'max'? known: avg, ",
        ),
        (
            {"squeeze": [None]},
            "axis 'squeeze': squeeze must be a registered name, got None; known: avg, ",
        ),
        (
            {"excitation": ["sigmod"]},
            "axis 'excitation': unknown excitation 'sigmod'; did you mean 'sigmoid'?",
        ),
        ({"gate": ["neck"]}, "axis 'gate': unknown gate 'neck'; "),
        ({"integration": ["prae"]}, "axis 'integration': unknown integration 'prae'; did you mean 'pre'?"),
        ({"reduction": [0]}, "axis 'reduction': reduction must be a whole number of at least 1, got 0"),
        ({"reduction": ["8"]}, "axis 'reduction': reduction must be a whole number of at least 1, "),
        ({"reduction": [{2: 8}]}, "axis 'reduction': no reduction is given for stage 3; given for 2"),
        ({"stages": [[]]}, "axis 'stages': stages is empty; name at least one stage, "),
        ({"stages": [[5]]}, "axis 'stages': unknown stage 5; known: 2, 3, 4"),
        ({"stages": ["none"]}, "axis 'stages': stages must be 'all' or a list of stage numbers, got 'none'"),
        ({"bias": ["yes"]}, "axis 'bias': bias must be true or false, got 'yes'"),
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", ["one-factor", "grid"])
def test_a_value_that_does_not_fit_is_refused_with_its_axis(
    make_study: MakeStudy, kind: str, axes: dict[str, Any], message: str
) -> None:
    assert refusal(make_study(axes=axes, design=kind)).startswith(f"study 'small': {message}")


@pytest.mark.parametrize("axes", [{"integration": ["pre"]}, {"backbone": ["mobilenet-v1"]}], ids=str)
def test_an_integration_that_a_backbone_lacks_is_refused_before_anything_is_built(
    make_study: MakeStudy, axes: dict[str, Any]
) -> None:
    """MobileNet's units have no shortcut."""
    backbone, integration = ("mobilenet-v1", "standard") if "integration" in axes else ("resnet18", "pre")
    baseline = {"backbone": backbone, "variant": {"integration": integration}, "data": "digits"}
    assert refusal(make_study(baseline=baseline, axes=axes)).endswith(
        "integration 'pre' is not possible in mobilenet-v1; possible there: standard"
    )


@pytest.mark.parametrize(
    ("variant", "message"),
    [({"stages": [5]}, "unknown stage 5"), ({"reduction": {2: 8}}, "no reduction is given for stage 3")],
    ids=str,
)
@pytest.mark.parametrize("axes", [{}, {"squeeze": ["max"]}], ids=str)
def test_a_baseline_that_does_not_fit_its_backbone_is_blamed_itself(
    make_study: MakeStudy, variant: dict[str, Any], message: str, axes: dict[str, Any]
) -> None:
    text = refusal(make_study(baseline={**GIVEN, "variant": variant}, axes=axes))
    assert text.startswith(f"study 'small': baseline: {message}")
