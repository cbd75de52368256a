"""NetworkTrial: one identity for one question, whatever asks it, and another for every change."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from ablations.planning.networks.data_spec import DataSpec
from ablations.planning.networks.recipe import Recipe
from ablations.planning.networks.recipes.named import RECIPES
from ablations.planning.networks.trial import NetworkTrial
from senet_core import BLOCKS, GATES, SEVariant

TRIAL = NetworkTrial("resnet20", SEVariant(), DataSpec(name="cifar10"), RECIPES["cifar-paper"], 0)
STEPS = Recipe(epochs=10, warmup=0.1, warmup_lr=0.05, schedule="step", milestones=(0.5,))

OTHER_VARIANT: dict[str, Any] = {
    "squeeze": "max",
    "excitation": "tanh",
    "reduction": 8,
    "stages": (2, 3),
    "integration": "pre",
    "bias": True,
    "gate": "another",
    "fusion": "add",
    "gate_init": "zeros-last",
    "opening": 2.0,
    "block": "another",
    "units": "last",
}
OTHER_DATA: dict[str, Any] = {
    "name": "digits",
    "train_images": 1000,
    "test_images": 500,
    "path": "images",
    "size": 64,
    "validation_images": 500,
    "resample": "train",
}
FOLDER = DataSpec(name="image-folder", path="x", size=8, train_images=100)
OTHER_RECIPE: dict[str, Any] = {
    "epochs": 11,
    "iterations": 101,
    "batch_size": 64,
    "lr": 0.2,
    "momentum": 0.8,
    "nesterov": False,
    "weight_decay": 1e-3,
    "decay_norm_and_bias": False,
    "schedule": "constant",
    "milestones": (0.6,),
    "gamma": 0.2,
    "warmup": 0.2,
    "warmup_lr": 0.01,
    "label_smoothing": 0.1,
    "crop": "none",
    "pad": 2,
    "flip": False,
    "cutout": 8,
    "start_size": 24,
    "full_size_from": 0.6,
    "precision": "fp32",
    "optimizer": "adamw",
    "betas": (0.8, 0.99),
    "eps": 1e-3,
    "clip_norm": 1.0,
    "restarts": 2,
    "loss": "bce",
    "focal_gamma": 3.0,
    "randaugment": 2,
    "magnitude": 12,
    "erasing": 0.2,
    "mixup": 0.2,
    "cutmix": 1.0,
    "dropout": 0.2,
    "stochastic_depth": 0.1,
    "ema": 0.999,
    "weights": f"sha256:{1:064}",
    "freeze": (2, 3),
    "patience": 3,
    "cuts": 2,
    "watched": 0.2,
}
ADAMW, FOCAL = Recipe(epochs=10, optimizer="adamw"), Recipe(epochs=10, loss="focal")
PLATEAU = Recipe(epochs=10, schedule="plateau", patience=5, cuts=3, watched=0.1)
GROWING = Recipe(epochs=10, start_size=20, full_size_from=0.5)
STARTS = {
    "iterations": Recipe(iterations=100), "schedule": Recipe(epochs=10), "restarts": Recipe(epochs=10),
    "start_size": GROWING, "full_size_from": GROWING, "betas": ADAMW, "eps": ADAMW, "focal_gamma": FOCAL,
    "freeze": Recipe(epochs=10, weights="torchvision"), "patience": PLATEAU, "cuts": PLATEAU, "watched": PLATEAU,
}  # fmt: skip


def changed(model: BaseModel, **fields: Any) -> Any:
    return type(model).model_validate({**model.model_dump(), **fields})


def test_the_key_is_recorded() -> None:
    """If this changes, no recorded trial is found again: raise the record's schema, or do not change it."""
    assert TRIAL.key == "6af04ff0358de418"


def test_recorded_trials_are_found_again() -> None:
    """A field that was added since is not in the canonical form of a trial that does not use it."""
    record = Path(__file__).parents[3] / "results" / "a-a" / "trials.jsonl"
    lines = [json.loads(line) for line in record.read_text(encoding="utf-8").splitlines()]
    assert lines
    assert {line["key"] for line in lines} == {NetworkTrial.from_json(line["trial"]).key for line in lines}


AT_FIRST = {
    "epochs", "iterations", "batch_size", "lr", "momentum", "nesterov", "weight_decay", "decay_norm_and_bias",
    "schedule", "milestones", "gamma", "warmup", "warmup_lr", "label_smoothing", "crop", "pad", "flip", "cutout",
    "precision",
}  # fmt: skip
"""Fields of a recipe that every trial's canonical form has; those that came later are in it where they are said."""


LATER = sorted(Recipe.model_fields.keys() - AT_FIRST)


@pytest.mark.parametrize("field", LATER)
def test_a_field_that_came_later_is_in_the_form_where_it_is_said(field: str) -> None:
    start = STARTS.get(field, Recipe(epochs=10))
    assert set(Recipe(epochs=10).to_json()) == AT_FIRST
    recipe = changed(start, **{field: OTHER_RECIPE[field]})
    assert Recipe.model_validate(json.loads(json.dumps(recipe.to_json()))) == recipe
    assert set(recipe.to_json()) == AT_FIRST | {
        name for name in LATER if getattr(recipe, name) != Recipe.model_fields[name].default
    }
    assert field in recipe.to_json()


def test_the_canonical_form_is_recorded() -> None:
    form = TRIAL.to_json()
    recipe = form.pop("recipe")
    assert set(recipe) == AT_FIRST
    assert recipe == {
        k: v for k, v in RECIPES["cifar-paper"].model_dump(mode="json").items() if k in AT_FIRST
    }
    assert form == {
        "backbone": "resnet20",
        "variant": str(SEVariant()),
        "data": {"name": "cifar10", "train_images": None, "test_images": None, "path": None, "size": None},
        "seed": 0,
        "plugins": {},
    }


@pytest.mark.parametrize(
    "trial",
    [
        TRIAL,
        dataclasses.replace(TRIAL, variant=None, seed=12),
        dataclasses.replace(TRIAL, variant=SEVariant(reduction={2: 4, 3: 8}, stages=(2, 3)), recipe=STEPS),
        dataclasses.replace(
            TRIAL,
            data=FOLDER,
            plugins=(("excitation:mine", "0123"), ("squeeze:theirs", "1.2")),
        ),
    ],
    ids=["se", "plain", "per stage", "plug-ins"],
)
def test_reads_back_from_json_with_its_key(trial: NetworkTrial) -> None:
    back = NetworkTrial.from_json(json.loads(json.dumps(trial.to_json())))
    assert back == trial
    assert back.key == trial.key
    assert len(trial.key) == 16
    assert int(trial.key, 16) >= 0


def test_the_order_of_json_fields_does_not_matter() -> None:
    backwards = dict(reversed(TRIAL.to_json().items()))
    backwards["recipe"] = dict(reversed(backwards["recipe"].items()))
    assert NetworkTrial.from_json(backwards).key == TRIAL.key


@pytest.mark.parametrize("field", ["backbone", "variant", "data", "recipe", "seed", "plugins"])
def test_a_missing_field_is_a_value_error(field: str) -> None:
    form = TRIAL.to_json()
    del form[field]
    with pytest.raises(ValueError, match=f"^a trial lacks {field}$"):
        NetworkTrial.from_json(form)


class TestAnotherKey:
    @pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(SEVariant)])
    @pytest.mark.usefixtures("own_registries")
    def test_for_every_field_of_the_variant(self, field: str) -> None:
        GATES.register("another", source="ours: a test")(GATES["bottleneck"].build)
        BLOCKS.register("another", source="ours: a test")(BLOCKS["se"].build)
        other = dataclasses.replace(TRIAL, variant=SEVariant(**{field: OTHER_VARIANT[field]}))
        assert other.key != TRIAL.key

    @pytest.mark.parametrize("field", DataSpec.model_fields)
    def test_for_every_field_of_the_data(self, field: str) -> None:
        start = FOLDER if field in ("path", "size") else TRIAL.data
        if field == "validation_images":  # which go without test images
            start = changed(start, test_images=None)
        if field == "resample":  # which draws some of them
            start = changed(start, train_images=100)
        before = dataclasses.replace(TRIAL, data=start)
        after = dataclasses.replace(TRIAL, data=changed(start, **{field: OTHER_DATA[field]}))
        assert before.key != after.key

    @pytest.mark.parametrize("field", Recipe.model_fields)
    def test_for_every_field_of_the_recipe(self, field: str) -> None:
        start = STARTS.get(field, STEPS)
        before = dataclasses.replace(TRIAL, recipe=start)
        after = dataclasses.replace(TRIAL, recipe=changed(start, **{field: OTHER_RECIPE[field]}))
        assert before.key != after.key

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("backbone", "resnet32"),
            ("variant", None),
            ("data", DataSpec(name="digits")),
            ("recipe", RECIPES["cifar-quick"]),
            ("seed", 1),
            ("plugins", (("squeeze:mine", "0123"),)),
        ],
    )
    def test_for_every_field_of_the_trial(self, field: str, value: object) -> None:
        assert dataclasses.replace(TRIAL, **{field: value}).key != TRIAL.key

    def test_for_a_changed_plug_in(self) -> None:
        one, other = (
            dataclasses.replace(TRIAL, plugins=(("squeeze:mine", digest),)) for digest in ("1", "2")
        )
        assert one.key != other.key

    def test_and_no_field_was_forgotten_above(self) -> None:
        assert {field.name for field in dataclasses.fields(NetworkTrial)} == {
            "backbone",
            "variant",
            "data",
            "recipe",
            "seed",
            "plugins",
        }


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"name": "cifar10"}, "cifar10"),
        (
            {"name": "cifar10", "train_images": 2000, "test_images": 1000},
            "cifar10, 2,000 training images, 1,000 test images",
        ),
        ({"name": "image-folder", "path": "pets", "size": 64}, "image-folder, pets at 64 px"),
        (
            {"name": "cifar10", "train_images": 2000, "resample": "train"},
            "cifar10, 2,000 training images that each seed draws anew",
        ),
    ],
)
def test_data_says_what_it_is(fields: dict[str, Any], text: str) -> None:
    assert str(DataSpec(**fields)) == text


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (
            {"name": "cifar10"},
            "and all of them are used: give train_images, fewer than there are (of 50,000)",
        ),
        ({"name": "digits", "train_images": 1297}, "give train_images, fewer than there are (of 1,297)"),
        (
            {"name": "digits", "train_images": 1200, "validation_images": 97},
            "give train_images, fewer than there are (of 1,200)",
        ),
        ({"name": "image-folder", "path": "x", "size": 8}, "give train_images, fewer than there are"),
    ],
)
def test_there_must_be_images_to_draw_from(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(said)):
        DataSpec(**fields, resample="train")
    with pytest.raises(ValidationError):
        DataSpec(name="cifar10", train_images=100, resample="test")  # type: ignore[arg-type]


def test_images_that_are_not_drawn_are_not_in_the_canonical_form() -> None:
    assert "resample" not in DataSpec(name="cifar10", train_images=100).model_dump(mode="json")
    drawn = DataSpec(name="cifar10", train_images=100, resample="train")
    assert drawn.model_dump(mode="json")["resample"] == "train"
    assert drawn.for_choosing(1000).resample == "train"
