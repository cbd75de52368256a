"""The network of a trial as its recipe trains it: with dropout and stochastic depth."""

from __future__ import annotations

import torch
from torch import nn

from ablations.planning.recipe import Recipe
from ablations.planning.trial import Trial
from senet_core.backbones import find_backbone
from senet_core.errors import UserError
from senet_core.model import build_model
from senet_core.training.dropout import add_dropout
from senet_core.training.stochastic_depth import add_stochastic_depth


def build_network(trial: Trial, *, num_classes: int, in_channels: int) -> nn.Module:
    """Return the network of a trial before its first step.

    Raises:
        UserError: a name is unknown here, or the backbone lacks what the variant or the recipe asks for.
    """
    model = build_model(
        trial.backbone, trial.variant, num_classes=num_classes, in_channels=in_channels, seed=trial.seed
    )
    return prepared(model, trial.backbone, trial.recipe)


def prepared(model: nn.Module, backbone: str, recipe: Recipe) -> nn.Module:
    """Change a network as a recipe trains it, in place; return it.

    Raises:
        UserError: the backbone lacks what the recipe asks for.
    """
    field = "stochastic_depth"
    try:
        if recipe.stochastic_depth > 0:
            add_stochastic_depth(model, recipe.stochastic_depth, find_backbone(backbone).stages)
        field = "dropout"
        if recipe.dropout > 0:
            add_dropout(model, recipe.dropout)
    except UserError as error:
        raise UserError(f"{field} does not go with backbone {backbone!r}: {error}") from error
    return model


def why_unfit(backbone: str, recipe: Recipe) -> str:
    """Return why a recipe does not go with a backbone, in one line, without computing anything; empty where it does."""
    if recipe.dropout == recipe.stochastic_depth == 0:
        return ""
    try:
        with torch.device("meta"):
            model = find_backbone(backbone).build(num_classes=2, in_channels=3)
    except Exception:  # a plug-in's may need real weights; its trials will tell
        return ""
    try:
        prepared(model, backbone, recipe)
    except UserError as error:
        return str(error)
    return ""
