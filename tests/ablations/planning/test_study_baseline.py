"""Baseline and recipe of a study, in their long and short forms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ablations.planning.networks.data_spec import DataSpec
from ablations.planning.networks.recipe import Recipe
from ablations.planning.networks.recipes.named import RECIPES
from ablations.planning.networks.study import NetworkStudy
from senet_core import SEVariant, UserError

MakeStudy = Callable[..., NetworkStudy]


def refusal(make_study: MakeStudy, **changes: Any) -> str:
    with pytest.raises(UserError) as caught:
        make_study(**changes)
    text = str(caught.value)
    assert "\n" not in text
    assert text.startswith("study 'small': ")
    return text.removeprefix("study 'small': ")


class TestBaseline:
    @pytest.mark.parametrize(
        ("variant", "expected"),
        [
            ("plain", None),
            ("se", SEVariant()),
            ("se:reduction=8,bias=true", SEVariant(reduction=8, bias=True)),
            ({}, SEVariant()),
            ({"reduction": {2: 4, 3: 8, 4: 16}}, SEVariant(reduction=((2, 4), (3, 8), (4, 16)))),
            ({"stages": [3], "squeeze": "max"}, SEVariant(stages=(3,), squeeze="max")),
        ],
        ids=str,
    )
    def test_takes_a_variant_in_any_form(
        self, make_study: MakeStudy, variant: object, expected: SEVariant | None
    ) -> None:
        study = make_study(baseline={"backbone": "resnet8", "variant": variant, "data": "digits"}, axes={})
        assert study.baseline.variant == expected

    def test_is_the_papers_block_where_the_file_says_nothing(self, make_study: MakeStudy) -> None:
        assert make_study(baseline={"backbone": "resnet8", "data": "digits"}).baseline.variant == SEVariant()

    def test_takes_data_by_name_or_by_fields(self, make_study: MakeStudy) -> None:
        for data in ("digits", {"name": "digits"}):
            study = make_study(baseline={"backbone": "resnet8", "data": data})
            assert study.baseline.data == DataSpec(name="digits")

    @pytest.mark.parametrize(
        ("field", "value", "message"),
        [
            (
                "backbone",
                "resnt20",
                "baseline.backbone: unknown backbone 'resnt20'; did you mean 'resnet20'? known: ",
            ),
            ("backbone", 20, "baseline.backbone must be text, got 20"),
            (
                "variant",
                "SE",
                "baseline.variant: a variant is 'plain', 'se', 'se:FIELD=VALUE,...' or the name of a published "
                "block, got 'SE'",
            ),
            (
                "variant",
                16,
                "baseline.variant: a variant is 'plain', a text such as 'se:reduction=8' or fields, got 16",
            ),
            (
                "variant",
                {"squeze": "max"},
                "baseline.variant: unknown field of a variant 'squeze'; did you mean 'squeeze'? known: ",
            ),
            (
                "variant",
                {"squeeze": "maxx"},
                "baseline.variant: unknown squeeze 'maxx'; did you mean 'max'? known: ",
            ),
            (
                "variant",
                {"excitation": "sigmod"},
                "baseline.variant: unknown excitation 'sigmod'; did you mean ",
            ),
            ("variant", {"gate": "bottlenek"}, "baseline.variant: unknown gate 'bottlenek'; did you mean "),
            (
                "variant",
                {"integration": "prae"},
                "baseline.variant: unknown integration 'prae'; did you mean 'pre'?",
            ),
            (
                "variant",
                {"reduction": 0},
                "baseline.variant: reduction must be a whole number of at least 1, got 0",
            ),
            (
                "variant",
                {"stages": []},
                "baseline.variant: stages is empty; name at least one stage, or use 'plain' ",
            ),
            ("data", {}, "baseline.data.name is missing"),
            ("data", {"name": "digits", "images": 5}, "unknown field 'baseline.data.images'; did you mean "),
            (
                "data",
                {"name": "digits", "train_images": 1},
                "baseline.data.train_images must be at least 2, got 1",
            ),
            (
                "data",
                {"name": "digits", "train_images": "all"},
                "baseline.data.train_images must be a whole number, got 'all'",
            ),
            (
                "data",
                {"name": "digits", "size": 7},
                "baseline.data.size must be at least 8",
            ),
            (
                "backbones",
                "resnet8",
                "unknown field 'baseline.backbones'; did you mean 'baseline.backbone'? known: ",
            ),
        ],
    )
    def test_that_is_wrong_is_refused(
        self, make_study: MakeStudy, field: str, value: object, message: str
    ) -> None:
        baseline = {"backbone": "resnet8", "data": "digits", field: value}
        assert refusal(make_study, baseline=baseline).startswith(message)

    def test_needs_backbone_and_data(self, make_study: MakeStudy) -> None:
        assert refusal(make_study, baseline={"data": "digits"}) == "baseline.backbone is missing"
        assert refusal(make_study, baseline={"backbone": "resnet8"}) == "baseline.data is missing"
        assert refusal(make_study, baseline="se") == "baseline must be a mapping of fields, got 'se'"

    def test_names_a_known_data_set(self, make_study: MakeStudy) -> None:
        message = refusal(make_study, baseline={"backbone": "resnet8", "data": "cifra10"})
        assert message.startswith(
            "baseline.data: unknown data set 'cifra10'; did you mean 'cifar10'? known: "
        )

    @pytest.mark.parametrize(
        ("data", "message"),
        [
            ("image-folder", "data set 'image-folder' needs a path and a size in pixels; path is missing"),
            (
                {"name": "image-folder", "path": "x"},
                "data set 'image-folder' needs a path and a size in pixels; size is missing",
            ),
            ({"name": "digits", "path": "x"}, "data set 'digits' takes no path; only 'image-folder' does"),
            ({"name": "cifar10", "size": 32}, "data set 'cifar10' takes no size; its images have 32 pixels"),
            ("oxford-pets", "data set 'oxford-pets' needs a size in pixels; size is missing"),
            (
                {"name": "oxford-pets", "size": 64, "path": "x"},
                "data set 'oxford-pets' takes no path; only 'image-folder' does",
            ),
            (
                {"name": "digits", "train_images": 9999},
                "train_images must be between 10 and 1297 for data set 'digits', got 9999",
            ),
            (
                {"name": "digits", "test_images": 501},
                "test_images must be between 1 and 500 for data set 'digits', got 501",
            ),
            (
                {"name": "cifar100", "train_images": 99},
                "train_images must be at least 100 for data set 'cifar100', got 99",
            ),
        ],
        ids=str,
    )
    def test_says_of_its_data_what_the_data_set_asks_for(
        self, make_study: MakeStudy, data: object, message: str
    ) -> None:
        assert (
            refusal(make_study, baseline={"backbone": "resnet8", "data": data}) == f"baseline.data: {message}"
        )

    def test_may_take_more_images_than_the_original_has(self, make_study: MakeStudy) -> None:
        """Somebody's own copy may have more; only the data themselves can say."""
        data = {"name": "cifar10", "train_images": 60_000}
        assert make_study(baseline={"backbone": "resnet8", "data": data}).baseline.data.train_images == 60_000


class TestRecipe:
    def test_is_taken_by_name(self, make_study: MakeStudy) -> None:
        assert make_study(recipe="cifar-paper").recipe == RECIPES["cifar-paper"]

    def test_is_taken_as_fields_on_top_of_a_named_one(self, make_study: MakeStudy) -> None:
        study = make_study(recipe={"base": "cifar-quick", "lr": 0.2})
        assert study.recipe == RECIPES["cifar-quick"].model_copy(update={"lr": 0.2})

    def test_is_taken_as_fields_alone(self, make_study: MakeStudy) -> None:
        assert make_study(recipe={"epochs": 4}).recipe == Recipe(epochs=4)

    def test_a_new_length_replaces_the_bases(self, make_study: MakeStudy) -> None:
        by_steps = make_study(recipe={"base": "cifar-quick", "iterations": 500}).recipe
        assert (by_steps.iterations, by_steps.epochs) == (500, None)
        by_epochs = make_study(recipe={"base": "cifar-paper", "epochs": 90}).recipe
        assert (by_epochs.iterations, by_epochs.epochs) == (None, 90)

    @pytest.mark.parametrize(
        ("recipe", "message"),
        [
            ("cifar-quik", "recipe: unknown recipe 'cifar-quik'; did you mean 'cifar-quick'? known: "),
            (
                {"base": "cifar-quik"},
                "recipe: unknown recipe 'cifar-quik'; did you mean 'cifar-quick'? known: ",
            ),
            ({"base": 3}, "recipe: unknown recipe 3; known: "),
            ({"base": ["cifar-quick"]}, "recipe: unknown recipe ['cifar-quick']; "),
            (10, "recipe must be a mapping of fields, got 10"),
            ({}, "recipe: give the length of the training by epochs or by iterations, one of the two"),
            (
                {"epochs": 10, "epoch": 3},
                "unknown field 'recipe.epoch'; did you mean 'recipe.epochs'? known: ",
            ),
            ({"epochs": "ten"}, "recipe.epochs must be a number, got 'ten'"),
            ({"base": "cifar-quick", "warmup": 2}, "recipe.warmup must be below 1, got 2"),
        ],
        ids=str,
    )
    def test_that_is_wrong_is_refused(self, make_study: MakeStudy, recipe: object, message: str) -> None:
        assert refusal(make_study, recipe=recipe).startswith(message)

    def test_a_misspelt_base_is_said(self, make_study: MakeStudy) -> None:
        assert "did you mean 'recipe.base'?" in refusal(make_study, recipe={"bse": "cifar-quick"})
