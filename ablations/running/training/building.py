"""The network of a trial: as its recipe trains it (dropout, stochastic depth, frozen stages), or as it was kept."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from ablations.errors import RecordError
from ablations.planning.networks.recipe import Recipe
from ablations.planning.networks.recipes.weights import TORCHVISION, shown
from ablations.planning.networks.trial import NetworkTrial
from ablations.planning.networks.used_plugins import check_plugins
from ablations.running.record.trial_record import TrialRecord
from ablations.running.record.weights import read_weights
from senet_core.backbones import find_backbone
from senet_core.errors import UserError, one_line
from senet_core.model import build_model
from senet_core.training.dropout import add_dropout
from senet_core.training.freezing import freeze
from senet_core.training.stochastic_depth import add_stochastic_depth
from senet_core.variants.variant import SEVariant
from senet_core.weights import IMAGENET, check_hub, check_weights, load_weights

Layers = tuple[nn.Module, ...]


def build_network(
    trial: NetworkTrial, *, num_classes: int, in_channels: int, weights: Mapping[str, Tensor] | None = None
) -> tuple[nn.Module, Layers]:
    """Return the network of a trial before its first step, and its frozen layers.

    Args:
        trial: what to train.
        num_classes: of the data.
        in_channels: of the data.
        weights: the state dict of the file that the recipe names.

    Raises:
        UserError: a name is unknown here, the backbone lacks what the variant or the recipe asks for, or the weights
            are of another network.
    """
    model = build_model(
        trial.backbone, trial.variant, num_classes=num_classes, in_channels=in_channels, seed=trial.seed
    )
    return model, prepared(model, trial.backbone, trial.recipe, weights)


def kept_network(folder: Path, line: TrialRecord) -> nn.Module:
    """Return the network of a line of the record, of whose weights nothing is believed that they do not show.

    It is in evaluation mode, as it was tested, on the processor.

    Args:
        folder: results/STUDY.
        line: of its record.

    Raises:
        RecordError: its weights are not kept, damaged, or of another network than is built of the trial here.
        UserError: a plug-in's code is not that which was trained.
    """
    from safetensors.torch import load

    content, about = read_weights(folder, line)
    check_plugins(line.trial["plugins"])
    trial, state = NetworkTrial.from_json(line.trial), load(content)
    largest = max((size for value in state.values() for size in value.shape), default=0)
    try:
        classes, channels = int(about["num_classes"]), int(about["in_channels"])
        if not max(classes, channels) <= largest:  # it would take the memory of a network that nobody has
            raise ValueError(f"they have no layer for {classes} classes and {channels} channels")
        network = build_model(trial.backbone, trial.variant, num_classes=classes, in_channels=channels)
        network.load_state_dict(state)
    except (KeyError, ValueError, RuntimeError) as error:
        raise RecordError(
            f"the weights of trial {line.key} are not of the network that is built of it here: {one_line(error)}"
        ) from error
    return network.eval()


def prepared(
    model: nn.Module, backbone: str, recipe: Recipe, weights: Mapping[str, Tensor] | None = None
) -> Layers:
    """Change a network as a recipe trains it, in place; return its frozen layers.

    Raises:
        UserError: the backbone lacks what the recipe asks for, or the weights are of another network.
    """
    given = IMAGENET if recipe.weights == TORCHVISION else weights
    if given is None and recipe.weights is not None:
        raise UserError(f"weights {recipe.weights!r} were not read")
    fresh = frozenset[str]()
    if given is not None and recipe.weights is not None:
        try:
            fresh = load_weights(model, given, backbone=backbone, new_classifier=True)
        except UserError as error:
            raise UserError(f"weights {shown(recipe.weights)!r}: {error}") from error
    return changed(model, backbone, recipe, fresh)


def changed(model: nn.Module, backbone: str, recipe: Recipe, fresh: frozenset[str] = frozenset()) -> Layers:
    """Freeze stages of a network and put into it what acts in training only; return its frozen layers.

    Raises:
        UserError: the backbone lacks what the recipe asks for.
    """
    field, stages = "freeze", find_backbone(backbone).stages
    try:
        frozen = freeze(model, recipe.freeze, stages, fresh)
        field = "stochastic_depth"
        if recipe.stochastic_depth > 0:
            add_stochastic_depth(model, recipe.stochastic_depth, stages)
        field = "dropout"
        if recipe.dropout > 0:
            add_dropout(model, recipe.dropout)
    except UserError as error:
        raise UserError(f"{field} does not go with backbone {backbone!r}: {error}") from error
    return frozen


def why_unfit(
    backbone: str,
    variant: SEVariant | None,
    recipe: Recipe,
    *,
    in_channels: int,
    weights: Mapping[str, Tensor] | None,
) -> str:
    """Return why a recipe does not go with a network, in one line, without computing anything; empty where it does.

    Args:
        backbone: of the network.
        variant: of the network.
        recipe: how it is trained.
        in_channels: of the data.
        weights: the state dict of the file that the recipe names; None where it is not at hand.
    """
    if recipe.dropout == recipe.stochastic_depth == 0 and recipe.weights is None:
        return ""
    try:
        with torch.device("meta"):
            model = build_model(backbone, variant, num_classes=2, in_channels=in_channels)
    except Exception:  # a plug-in's may need real weights; its trials will tell
        return ""
    try:
        if recipe.weights == TORCHVISION:
            check_hub(backbone)
            if in_channels != 3:
                return f"weights 'torchvision' are for images with 3 channels, and these have {in_channels}"
        elif recipe.weights is not None and weights is not None:
            check_weights(model, weights, backbone=backbone, new_classifier=True)
    except UserError as error:
        return f"weights {shown(recipe.weights or '')!r}: {error}"
    try:
        changed(model, backbone, recipe)
    except UserError as error:
        return str(error)
    return ""
