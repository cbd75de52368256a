"""The recipe by which a pruned network is trained on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from ablations.errors import StudyError
from ablations.experiments.fields.checks import check_fields
from ablations.planning.explain import explain
from ablations.planning.networks.recipe import Recipe

RATE_SHARE = 0.1
"""The highest rate, as a share of that of the training, where the study gives none."""

OF_THE_TRAINING: Mapping[str, Any] = {"weights": None, "freeze": (), "dropout": 0, "stochastic_depth": 0}
"""Fields that act on the network before its first step, with the values that leave it as it is."""


def fine_tuning_recipe(trained: Recipe, given: Mapping[str, Any]) -> Recipe:
    """Return the recipe of the training with another length, a tenth of the rate, and what the study changes.

    Args:
        trained: by which the network was trained.
        given: fields of a recipe; an epoch where it says no length.

    Raises:
        StudyError: a field is unknown, out of range, or cannot be changed any more.
    """
    known = [name for name in Recipe.model_fields if name not in (*OF_THE_TRAINING, "precision")]
    check_fields("experiment.recipe", given, known)
    length: dict[str, Any] = {"iterations": None} if "epochs" in given else {"epochs": None}
    if "epochs" not in given and "iterations" not in given:
        length = {"epochs": 1, "iterations": None}
    short = {"lr": trained.lr * RATE_SHARE, "warmup": 0, "warmup_lr": None}
    try:
        return Recipe.model_validate({**trained.model_dump(), **OF_THE_TRAINING, **short, **length, **given})
    except ValidationError as error:
        raise StudyError(f"experiment.recipe.{explain(error)}") from error
