"""Optimisers: what turns gradients into steps, by the name that a recipe gives."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, Protocol, cast

import torch
from torch import Tensor, nn

from ablations.errors import ToolMissing
from ablations.planning.networks.recipe import Recipe
from ablations.planning.networks.recipes.optimizers import OPTIMIZERS
from ablations.running.training.muon import Muon


class Optimiser(Protocol):
    """What the training loop asks of an optimiser; torch's have it."""

    param_groups: list[dict[str, Any]]

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients."""

    def step(self) -> object:
        """Change the weights by their gradients."""

    def state_dict(self) -> dict[str, Any]:
        """Return the state as tensors and numbers."""

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a state."""


def check_installed(optimizer: str) -> None:
    """Refuse an optimiser whose package is not installed.

    Raises:
        ToolMissing: with what to install.
    """
    if optimizer == "lion" and find_spec("timm") is None:
        raise ToolMissing(
            "optimizer 'lion' is timm's, which is not installed: pip install 'senet-ablations[zoo]'"
        )
    if optimizer == "muon" and not hasattr(torch.optim, "Muon"):
        raise ToolMissing(
            f"optimizer 'muon' needs torch 2.9 or newer, and torch {torch.__version__} is installed"
        )


Builder = Callable[[nn.Module, Recipe], Optimiser]


def make_optimiser(model: nn.Module, recipe: Recipe, rate: Tensor | None = None) -> Optimiser:
    """Return the optimiser of a recipe, with weight decay on norms and biases only where the recipe says so.

    Args:
        model: on its device.
        recipe: how it is trained.
        rate: where the optimiser finds its learning rate, of those of `WITH_RATE_TENSOR`; None for one that is set.

    Raises:
        ToolMissing: the package that has it is not installed.
    """
    check_installed(recipe.optimizer)
    if rate is None:
        return BUILDERS[recipe.optimizer](model, recipe)
    return WITH_RATE_TENSOR[recipe.optimizer](groups_of(list(model.parameters()), recipe), recipe, rate)


def groups_of(parameters: list[nn.Parameter], recipe: Recipe) -> list[dict[str, Any]]:
    """Return parameters by their weight decay, as torch's optimisers take them."""
    weights = [p for p in parameters if p.ndim > 1 or recipe.decay_norm_and_bias]
    others = [p for p in parameters if not (p.ndim > 1 or recipe.decay_norm_and_bias)]
    groups: list[dict[str, Any]] = [
        {"params": weights, "weight_decay": recipe.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    return [group for group in groups if group["params"]]


def sgd(model: nn.Module, recipe: Recipe) -> Optimiser:
    """Return stochastic gradient descent with momentum."""
    groups = groups_of(list(model.parameters()), recipe)
    return cast(
        Optimiser,
        torch.optim.SGD(groups, lr=recipe.lr, momentum=recipe.momentum, nesterov=recipe.nesterov),
    )


def adamw(model: nn.Module, recipe: Recipe) -> Optimiser:
    """Return Adam with weight decay of its own."""
    return cast(Optimiser, _adamw(list(model.parameters()), recipe))


def lion(model: nn.Module, recipe: Recipe) -> Optimiser:
    """Return Lion, which steps by the sign of an average."""
    from timm.optim.lion import Lion

    groups = groups_of(list(model.parameters()), recipe)
    return cast(Optimiser, Lion(groups, lr=recipe.lr, betas=_betas(recipe)))


def muon(model: nn.Module, recipe: Recipe) -> Optimiser:
    """Return Muon for the matrices inside the network, and AdamW for all else."""
    inner = Muon.inner_matrices(model)
    chosen = {id(p) for p in inner}
    others = _adamw([p for p in model.parameters() if id(p) not in chosen], recipe)
    return Muon(inner, others, recipe)


def _adamw(parameters: list[nn.Parameter], recipe: Recipe) -> torch.optim.Optimizer:
    eps = recipe.eps if recipe.eps is not None else OPTIMIZERS[recipe.optimizer].eps
    return torch.optim.AdamW(groups_of(parameters, recipe), lr=recipe.lr, betas=_betas(recipe), eps=eps)


def _betas(recipe: Recipe) -> tuple[float, float]:
    first, second = recipe.betas if recipe.betas is not None else OPTIMIZERS[recipe.optimizer].betas
    return first, second


def fused_sgd(groups: list[dict[str, Any]], recipe: Recipe, rate: Tensor) -> Optimiser:
    """Return SGD whose step is one kernel, with its rate in a tensor."""
    return cast(
        Optimiser,
        torch.optim.SGD(groups, lr=rate, momentum=recipe.momentum, nesterov=recipe.nesterov, fused=True),
    )


def fused_adamw(groups: list[dict[str, Any]], recipe: Recipe, rate: Tensor) -> Optimiser:
    """Return AdamW whose step is one kernel, with its rate and its count of steps in tensors."""
    eps = recipe.eps if recipe.eps is not None else OPTIMIZERS[recipe.optimizer].eps
    made = torch.optim.AdamW(groups, lr=rate, betas=_betas(recipe), eps=eps, fused=True, capturable=True)
    made._warned_capturable_if_run_uncaptured = True  # the steps before a capture are meant
    return cast(Optimiser, made)


WITH_RATE_TENSOR: dict[str, Callable[[list[dict[str, Any]], Recipe, Tensor], Optimiser]] = {
    "sgd": fused_sgd,
    "adamw": fused_adamw,
}
"""Those whose step can be captured as a graph."""

BUILDERS: dict[str, Builder] = {"sgd": sgd, "adamw": adamw, "lion": lion, "muon": muon}
"""By the names of `ablations.planning.networks.recipes.optimizers`; each takes the network and the recipe."""
