"""A recipe that a backbone cannot be trained with is refused before anything is, in one line."""

from __future__ import annotations

from typing import Any

import pytest
from small import small_study

from ablations.errors import StudyError
from ablations.running.training.refusals.untrainable import refuse_untrainable

VGG: dict[str, Any] = {"backbone": "vgg16_bn", "data": "cifar10"}
SMALL: dict[str, Any] = {"backbone": "resnet8", "data": "cifar10"}
RECIPE: dict[str, Any] = {"epochs": 1, "batch_size": 32}
CHOOSES = {"validation_images": 100}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (
            {"baseline": VGG, "recipe": {**RECIPE, "stochastic_depth": 0.1}},
            "row 'SE': stochastic_depth does not go with backbone 'vgg16_bn': it has no residual units",
        ),
        (
            {"baseline": VGG, "axes": {"recipe.dropout": [0.1]}},
            "dropout does not go with backbone 'vgg16_bn': it has dropout of its own",
        ),
        (
            {
                "baseline": VGG,
                "design": "tuned",
                "tune": {**CHOOSES, "ranges": {"stochastic_depth": [0, 0.2]}},
            },
            "stochastic_depth does not go with backbone 'vgg16_bn'",
        ),
        (
            {
                "baseline": SMALL,
                "design": "search",
                "seeds": [],
                "confirm": 2,
                "search": {**CHOOSES, "trials": 5},
                "axes": {"backbone": ["resnet8", "senet154"], "recipe.dropout": [0, 0.2]},
            },
            "dropout does not go with backbone 'senet154'",
        ),
    ],
)
def test_what_a_backbone_cannot_do_is_refused(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(StudyError, match=words) as caught:
        refuse_untrainable(small_study(**fields))
    assert "\n" not in str(caught.value)


def test_what_it_can_do_passes() -> None:
    refuse_untrainable(
        small_study(baseline=SMALL, recipe={**RECIPE, "dropout": 0.1, "stochastic_depth": 0.1, "mixup": 0.2})
    )


def test_a_field_that_is_off_or_on_makes_a_readable_row() -> None:
    rows = small_study(axes={"recipe.mixup": [0, 0.2], "recipe.ema": [0.999]}).rows
    assert [row.label for row in rows[1:]] == [
        "plain mixup=0 ema=0",
        "SE r=8 mixup=0.2 ema=0",
        "SE r=8 mixup=0 ema=0.999",
    ]
