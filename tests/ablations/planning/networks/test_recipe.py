"""Recipes: the named ones are what they cite, and values that do not fit together are refused."""

from __future__ import annotations

import math

import pytest
from pydantic import ValidationError

from ablations.planning.networks.recipe import Recipe
from ablations.planning.networks.recipes.named import RECIPES


def refusal(**fields: object) -> str:
    with pytest.raises(ValidationError) as caught:
        Recipe.model_validate({"epochs": 10, **fields})
    (first, *_) = caught.value.errors()
    return ".".join(map(str, first["loc"])) + ": " + first["msg"]


def test_cifar_paper_is_he_et_al() -> None:
    """arXiv:1512.03385, section 4.2: 64k iterations of 128, rate 0.1 divided at 32k and 48k, decay 1e-4."""
    recipe = RECIPES["cifar-paper"]
    assert (recipe.iterations, recipe.epochs, recipe.batch_size) == (64_000, None, 128)
    assert (recipe.lr, recipe.momentum, recipe.nesterov, recipe.weight_decay) == (0.1, 0.9, False, 1e-4)
    assert (recipe.schedule, recipe.milestones, recipe.gamma) == ("step", (0.5, 0.75), 0.1)
    assert (recipe.crop, recipe.pad, recipe.flip, recipe.label_smoothing) == ("pad", 4, True, 0)
    assert (recipe.warmup * 64_000, recipe.warmup_lr) == (400, 0.01)
    assert recipe.precision == "fp32"


def test_imagenet_ablation_has_the_papers_schedule() -> None:
    """arXiv:1709.01507, footnote 2: 270 epochs, the rate divided at 125, 200 and 250."""
    recipe = RECIPES["imagenet-ablation"]
    assert (recipe.epochs, recipe.gamma, recipe.lr) == (270, 0.1, 0.1)
    assert [270 * milestone for milestone in recipe.milestones] == pytest.approx([125, 200, 250])
    assert (recipe.crop, recipe.flip) == ("resized", True)


@pytest.mark.parametrize("name", RECIPES)
def test_every_named_recipe_reads_back_from_json(name: str) -> None:
    recipe = RECIPES[name]
    assert Recipe.model_validate(recipe.model_dump(mode="json")) == recipe


def test_is_a_value() -> None:
    recipe = Recipe(epochs=10)
    with pytest.raises(ValidationError, match="frozen"):
        recipe.lr = 1
    assert {recipe: 1}[Recipe(epochs=10.0, lr=0.1)] == 1
    assert recipe.model_dump_json() == Recipe(epochs=10.0).model_dump_json()


def test_the_length_becomes_steps() -> None:
    assert Recipe(epochs=2.5).steps(100) == 250
    assert Recipe(epochs=0.126).steps(100) == 13
    assert Recipe(epochs=0.001).steps(100) == 1  # at least one
    assert Recipe(iterations=700).steps(100) == 700


@pytest.mark.parametrize(
    "fields",
    [
        {"epochs": 0.5},
        {"epochs": None, "iterations": 1},
        {"warmup": 0.99},
        {"warmup": 0.1, "warmup_lr": 0.01},
        {"schedule": "step", "milestones": [0.01, 0.5, 0.99]},
        {"momentum": 0, "nesterov": False},
        {"weight_decay": 0},
        {"batch_size": 2},
        {"pad": 0, "cutout": 0, "label_smoothing": 0},
        {"start_size": 8, "full_size_from": 0.001},
        {"optimizer": "adamw", "betas": [0, 0.5], "eps": 1, "momentum": 0},
        {"optimizer": "lion", "betas": [0.9, 0.99]},
        {"optimizer": "muon", "eps": 1e-12, "momentum": 0, "nesterov": False},
        {"clip_norm": 0.001},
        {"restarts": 1},
        {"schedule": "plateau", "patience": 1, "cuts": 100, "watched": 0.99},
        {"loss": "focal", "focal_gamma": 0.001},
        {"randaugment": 1, "magnitude": 0, "erasing": 1},
        {"mixup": 1e-6, "cutmix": 1000},
        {"weights": "torchvision", "freeze": [5, 2]},
        {"weights": f"name.pth@sha256:{0:064}"},
        {"dropout": 0.99, "stochastic_depth": 0.99, "ema": 0.99999},
    ],
    ids=str,
)
def test_values_at_the_edge_are_accepted(fields: dict[str, object]) -> None:
    made = Recipe.model_validate({"epochs": 10, **fields}).model_dump()
    given = {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}
    assert {name: made[name] for name in fields} == given


ONE_LENGTH = ": Value error, give the length of the training by epochs or by iterations, one of the two"
MILESTONES = ": Value error, milestones are shares of the training: they must rise and lie between 0 and 1"
STEPS = ": Value error, milestones belong to schedule 'step', which needs at least one"
OPTIMIZERS = "known: sgd, adamw, lion, muon"
BETAS = ": Value error, betas are two numbers of at least 0 and below 1, got"
LOSSES = "known: cross_entropy, bce, focal"
SIZES = ": Value error, start_size and full_size_from belong together: give both or neither"
WHOLE = ": Input should be a valid integer"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"epochs": None}, ONE_LENGTH),
        ({"iterations": 100}, ONE_LENGTH),
        ({"epochs": 0}, "epochs: Input should be greater than 0"),
        ({"epochs": "10"}, "epochs: Input should be a valid number"),
        ({"epochs": None, "iterations": 0}, "iterations: Input should be greater than 0"),
        ({"epochs": None, "iterations": 10.0}, "iterations" + WHOLE),
        ({"batch_size": 1}, "batch_size: Input should be greater than or equal to 2"),
        ({"batch_size": 128.0}, "batch_size" + WHOLE),
        ({"batch_size": True}, "batch_size" + WHOLE),
        ({"lr": 0}, "lr: Input should be greater than 0"),
        ({"lr": True}, "lr: Input should be a valid number"),
        ({"momentum": 1}, "momentum: Input should be less than 1"),
        ({"momentum": 0}, ": Value error, nesterov needs a momentum above 0"),
        ({"nesterov": 1}, "nesterov: Input should be a valid boolean"),
        ({"weight_decay": -1e-4}, "weight_decay: Input should be greater than or equal to 0"),
        ({"decay_norm_and_bias": "no"}, "decay_norm_and_bias: Input should be a valid boolean"),
        (
            {"schedule": "cosin"},
            "schedule: Input should be 'cosine', 'linear', 'step', 'plateau' or 'constant'",
        ),
        ({"schedule": "step"}, STEPS),
        ({"milestones": [0.5]}, STEPS),
        ({"schedule": "step", "milestones": [0.7, 0.5]}, MILESTONES),
        ({"schedule": "step", "milestones": [0.5, 0.5]}, MILESTONES),
        ({"schedule": "step", "milestones": [0, 0.5]}, MILESTONES),
        ({"schedule": "step", "milestones": [0.5, 1]}, MILESTONES),
        ({"gamma": 1}, "gamma: Input should be less than 1"),
        ({"warmup": 1}, "warmup: Input should be less than 1"),
        ({"warmup": -1}, "warmup: Input should be greater than or equal to 0"),
        ({"warmup_lr": 0.1}, ": Value error, warmup_lr needs a warmup"),
        ({"warmup": 0.1, "warmup_lr": 0}, "warmup_lr: Input should be greater than 0"),
        ({"label_smoothing": 1}, "label_smoothing: Input should be less than 1"),
        ({"crop": "random"}, "crop: Input should be 'pad', 'resized' or 'none'"),
        ({"pad": -1}, "pad: Input should be greater than or equal to 0"),
        ({"flip": None}, "flip: Input should be a valid boolean"),
        ({"cutout": -8}, "cutout: Input should be greater than or equal to 0"),
        (
            {"optimizer": "adam"},
            f"optimizer: Value error, unknown optimizer 'adam'; did you mean 'adamw'? {OPTIMIZERS}",
        ),
        ({"optimizer": 1}, "optimizer: Input should be a valid string"),
        (
            {"betas": [0.9, 0.999]},
            ": Value error, optimizer 'sgd' does not read betas; adamw, lion and muon do",
        ),
        (
            {"optimizer": "lion", "eps": 1e-8},
            ": Value error, optimizer 'lion' does not read eps; adamw and muon do",
        ),
        ({"optimizer": "adamw", "betas": [0.9, 1]}, f"{BETAS} [0.9, 1]"),
        ({"optimizer": "adamw", "betas": [0.9]}, f"{BETAS} [0.9]"),
        ({"optimizer": "adamw", "betas": []}, f"{BETAS} []"),
        ({"optimizer": "adamw", "betas": ["a", 0.9]}, "betas.0: Input should be a valid number"),
        ({"optimizer": "adamw", "betas": 0.9}, "betas: Input should be a valid tuple"),
        ({"optimizer": "adamw", "eps": 0}, "eps: Input should be greater than 0"),
        ({"optimizer": "muon", "momentum": 0}, ": Value error, nesterov needs a momentum above 0"),
        ({"clip_norm": -1}, "clip_norm: Input should be greater than or equal to 0"),
        ({"restarts": -1}, "restarts: Input should be greater than or equal to 0"),
        ({"restarts": 1.0}, "restarts" + WHOLE),
        (
            {"restarts": 1, "schedule": "step", "milestones": [0.5]},
            ": Value error, restarts belong to schedule 'cosine', and the schedule is 'step'",
        ),
        (
            {"schedule": "plateau", "patience": 3},
            ": Value error, schedule 'plateau' needs patience, cuts, watched; not given: cuts and watched",
        ),
        (
            {"schedule": "plateau", "patience": 3, "cuts": 1},
            ": Value error, schedule 'plateau' needs patience, cuts, watched; not given: watched",
        ),
        (
            {"patience": 3, "watched": 0.1},
            ": Value error, patience belongs to schedule 'plateau', and the schedule is 'cosine'",
        ),
        ({"patience": 0}, "patience: Input should be greater than or equal to 1"),
        ({"cuts": 101}, "cuts: Input should be less than or equal to 100"),
        ({"watched": 1}, "watched: Input should be less than 1"),
        ({"loss": "bse"}, f"loss: Value error, unknown loss 'bse'; did you mean 'bce'? {LOSSES}"),
        (
            {"focal_gamma": 2},
            ": Value error, focal_gamma belongs to loss 'focal', and the loss is 'cross_entropy'",
        ),
        ({"loss": "focal", "focal_gamma": 0}, "focal_gamma: Input should be greater than 0"),
        ({"randaugment": 1.0}, "randaugment" + WHOLE),
        ({"magnitude": 31}, "magnitude: Input should be less than or equal to 30"),
        ({"erasing": 1.1}, "erasing: Input should be less than or equal to 1"),
        ({"mixup": -0.1}, "mixup: Input should be greater than or equal to 0"),
        ({"mixup": 1e-300}, ": Value error, mixup is 0 or at least 1e-06, got 1e-300"),
        ({"cutmix": 1e-9}, ": Value error, cutmix is 0 or at least 1e-06, got 1e-09"),
        ({"cutmix": True}, "cutmix: Input should be a valid number"),
        ({"dropout": 1}, "dropout: Input should be less than 1"),
        ({"stochastic_depth": 1}, "stochastic_depth: Input should be less than 1"),
        ({"ema": 1}, "ema: Input should be less than 1"),
        ({"ema": -0.1}, "ema: Input should be greater than or equal to 0"),
        (
            {"weights": "net.pth"},
            "weights: Value error, give 'torchvision' or a file, which is read with its study, got 'net.pth'",
        ),
        ({"freeze": [2]}, ": Value error, freeze needs weights: stages that begin at random would stay so"),
        (
            {"weights": "torchvision", "freeze": [2, 3, 2]},
            ": Value error, freeze names a stage twice: 2, 3, 2",
        ),
        ({"weights": "torchvision", "freeze": 2}, "freeze: Input should be a valid tuple"),
        ({"start_size": 20}, SIZES),
        ({"full_size_from": 0.5}, SIZES),
        ({"start_size": 4, "full_size_from": 0.5}, "start_size: Input should be greater than or equal to 8"),
        ({"start_size": 18, "full_size_from": 0.5}, "start_size: Input should be a multiple of 4"),
        ({"start_size": 20.0, "full_size_from": 0.5}, "start_size" + WHOLE),
        ({"start_size": 20, "full_size_from": 1}, "full_size_from: Input should be less than 1"),
        ({"start_size": 20, "full_size_from": 0}, "full_size_from: Input should be greater than 0"),
        ({"precision": "fp16"}, "precision: Input should be 'fp32', 'bf16', 'tf32' or 'auto'"),
        ({"epoch": 3}, "epoch: Extra inputs are not permitted"),
    ],
    ids=str,
)
def test_values_that_do_not_fit_are_refused(fields: dict[str, object], message: str) -> None:
    assert refusal(**fields) == message


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
@pytest.mark.parametrize("field", ["epochs", "lr", "weight_decay", "warmup", "gamma", "momentum"])
def test_numbers_that_json_does_not_know_are_refused(field: str, value: float) -> None:
    assert refusal(**{field: value}).startswith(f"{field}: Input should be ")


def test_every_field_is_described_or_named_after_what_it_is() -> None:
    """The schema's completions are all that an editor shows."""
    known = {"momentum", "nesterov", "weight_decay", "schedule", "gamma", "label_smoothing"}
    bare = {name for name, field in Recipe.model_fields.items() if not field.description}
    assert bare <= known


@pytest.mark.parametrize(
    ("idle", "same_as"),
    [
        ({"optimizer": "adamw", "momentum": 0.5, "nesterov": False}, {"optimizer": "adamw"}),
        ({"optimizer": "adamw", "betas": [0.9, 0.999], "eps": 1e-8}, {"optimizer": "adamw"}),
        ({"optimizer": "lion", "betas": [0.9, 0.99], "momentum": 0.5}, {"optimizer": "lion"}),
        ({"optimizer": "muon", "betas": [0.9, 0.999]}, {"optimizer": "muon"}),
        ({"loss": "focal", "focal_gamma": 2}, {"loss": "focal"}),
        ({"magnitude": 20}, {}),
        ({"weights": f"a.pth@sha256:{0:064}"}, {"weights": f"b.pt@sha256:{0:064}"}),
    ],
    ids=str,
)
def test_what_does_nothing_is_not_in_the_effective_form(
    idle: dict[str, object], same_as: dict[str, object]
) -> None:
    one, other = (Recipe.model_validate({"epochs": 1, **fields}) for fields in (idle, same_as))
    assert one.effective == other.effective
    acts = one.model_copy(update={"lr": 0.3})
    assert acts.effective != other.effective


def test_what_an_optimizer_reads_stays_in_the_effective_form() -> None:
    for fields in (
        {"optimizer": "muon", "momentum": 0.5},
        {"optimizer": "lion", "betas": [0.9, 0.999]},
        {"optimizer": "adamw", "eps": 1e-7},
        {"randaugment": 1, "magnitude": 20},
    ):
        recipe = Recipe.model_validate({"epochs": 1, **fields})
        assert recipe.effective == recipe
