"""Losses: what is made small, by the name that a recipe gives."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from ablations.planning.networks.recipe import Recipe
from ablations.planning.networks.recipes.losses import FOCAL_GAMMA

Loss = Callable[[Tensor, Tensor, Recipe], Tensor]


def loss_of(logits: Tensor, targets: Tensor, recipe: Recipe) -> Tensor:
    """Return the loss of a batch by a recipe, label smoothing included.

    Shapes:
        logits: (N, C), float32; targets: the class of each image, (N,), or a share for each class, (N, C); returns ().
    """
    return FUNCTIONS[recipe.loss](logits, targets, recipe)


def cross_entropy(logits: Tensor, targets: Tensor, recipe: Recipe) -> Tensor:
    """Return the cross-entropy of the softmax over classes."""
    return F.cross_entropy(logits, targets, label_smoothing=recipe.label_smoothing)


def bce(logits: Tensor, targets: Tensor, recipe: Recipe) -> Tensor:
    """Return the binary cross-entropy of each class by itself, summed over classes."""
    shares = _shares(targets, logits, recipe.label_smoothing)
    return F.binary_cross_entropy_with_logits(logits, shares, reduction="none").sum(dim=1).mean()


def focal(logits: Tensor, targets: Tensor, recipe: Recipe) -> Tensor:
    """Return the cross-entropy with each class weighed by (1 - p) to the power of `focal_gamma`."""
    exponent = FOCAL_GAMMA if recipe.focal_gamma is None else recipe.focal_gamma
    shares, known = _shares(targets, logits, recipe.label_smoothing), F.log_softmax(logits, dim=1)
    doubt = (1 - known.exp()).clamp_min(1e-6)  # powers below 1 have no finite slope at 0
    return -(shares * doubt.pow(exponent) * known).sum(dim=1).mean()


def _shares(targets: Tensor, logits: Tensor, smoothing: float) -> Tensor:
    """Return the share of each class, smoothed.

    Shapes:
        targets: (N,) or (N, C); returns (N, C).
    """
    classes = logits.shape[1]
    shares = targets
    if targets.ndim == 1:  # `one_hot` would look at the labels, and wait for the device
        shares = (targets[:, None] == torch.arange(classes, device=targets.device)).to(logits.dtype)
    return shares * (1 - smoothing) + smoothing / classes


FUNCTIONS: dict[str, Loss] = {"cross_entropy": cross_entropy, "bce": bce, "focal": focal}
"""By the names of `ablations.planning.networks.recipes.losses`; each takes logits, targets and the recipe."""
