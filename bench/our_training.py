"""Our training of SE-ResNet-20 by the recipe `cifar-quick`, as a worker of a sweep prepares it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from ablations.planning.networks.data_spec import DataSpec
from ablations.planning.networks.recipe import Recipe
from ablations.planning.networks.recipes.named import RECIPES
from ablations.planning.networks.trial import NetworkTrial
from ablations.running.cost.probe import synthetic_data
from ablations.running.data import Prepared, load
from ablations.running.machine.devices import preferred_precision
from ablations.running.machine.kernels import ALL_KERNELS, Kernels
from ablations.running.training.trainer import Trainer
from ablations.running.training.trial_training import make_trainer
from senet_core import SEVariant

CPU = torch.device("cpu")
CIFAR10 = DataSpec(name="cifar10")


def cifar_quick(**changes: Any) -> Recipe:
    """Return the recipe with some of its fields changed."""
    return RECIPES["cifar-quick"].model_copy(update=changes)


def images(prepared: Path | None, count: int) -> Prepared:
    """Return prepared CIFAR-10, or as many random images for training."""
    return synthetic_data(CIFAR10, count) if prepared is None else load(prepared)


def prepare(
    data: Prepared, recipe: Recipe, seed: int, *, kernels: Kernels = ALL_KERNELS, device: torch.device = CPU
) -> Trainer:
    """Return a training before its first step, with those of the kernels that can be had."""
    recipe = recipe.in_precision(preferred_precision(device))
    trial = NetworkTrial("resnet20", SEVariant(), CIFAR10, recipe, seed)
    return make_trainer(trial, data, device, kernels=kernels.available_on(device, recipe.precision))
