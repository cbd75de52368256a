"""Every field that a study file can give has an effect, or is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ablations.errors import StudyError
from ablations.planning.choices.arms import arms_of
from ablations.planning.design import design
from ablations.planning.networks.study import NetworkStudy
from ablations.planning.schema import study_schema
from ablations.planning.typed_study import plan_digest

MakeStudy = Callable[..., NetworkStudy]

CHANGED: dict[str, Any] = {
    "title": "Another", "question": "Another?", "baseline": {"backbone": "resnet14", "data": "digits"},
    "recipe": {"base": "cifar-quick", "epochs": 4}, "axes": {"reduction": [2, 8]}, "design": "grid",
    "tune": {"validation_images": 40}, "search": {"trials": 3, "validation_images": 40}, "race": {"first": 3},
    "confirm": 3, "margin": 0.3, "rests_on": "seeds", "include_plain": False, "seeds": 3, "paper_tables": [],
    "allow_identical": True, "labels": {"2": "Two"}, "plugins": [], "folder": "elsewhere",
    "keep_weights": True, "tests": [{"crops": 10}],
}  # fmt: skip
BY_DESIGN = {"tune", "search", "race"}
"""They belong to a design other than the usual one, which refuses them."""

SHOWN_ALONE = {"title", "question", "labels", "plugins", "folder", "keep_weights", "tests"}
"""What is shown, kept or tested once more, and what code is there: these make no other plan."""

GOES_WITH = {"tests": {"keep_weights": True}}
"""What a field needs beside it."""


def test_no_field_was_forgotten() -> None:
    assert study_schema()["properties"].keys() == CHANGED.keys()


@pytest.mark.parametrize("field", sorted(CHANGED.keys() - SHOWN_ALONE))
def test_a_field_makes_another_plan_or_is_refused(make_study: MakeStudy, field: str) -> None:
    if field in BY_DESIGN:
        with pytest.raises(
            StudyError, match=f"does not go with the field {field}|the field {field} belongs to"
        ):
            make_study(**{field: CHANGED[field]})
    else:
        assert plan_digest(make_study(**{field: CHANGED[field]})) != plan_digest(make_study())


@pytest.mark.parametrize("field", sorted(SHOWN_ALONE))
def test_what_is_only_shown_makes_no_other_plan(make_study: MakeStudy, field: str) -> None:
    changed = {field: CHANGED[field], **GOES_WITH.get(field, {})}
    assert plan_digest(make_study(**changed)) == plan_digest(make_study())


def test_a_choice_follows_its_settings(make_study: MakeStudy) -> None:
    chooses = {"design": "tuned", "tune": {"validation_images": 40}}
    more = {"design": "tuned", "tune": {"validation_images": 40, "trials": 7}}
    [few, many] = (arms_of(design(make_study(**given))) for given in (chooses, more))
    assert [arm.trials for arm in few] != [arm.trials for arm in many]
