"""Muon for convolutional networks: torch's own takes matrices only, and a convolution is the matrix of its filters."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ablations.planning.networks.recipe import Recipe


class Muon:
    """Muon on the matrices inside a network, and another optimiser on all else.

    The order of a filter's weights is that of the memory: permuted columns do not change what Muon computes.

    Args:
        inner: the parameters that Muon trains, of at least two dimensions.
        others: the optimiser of all other parameters.
        recipe: rate, momentum and weight decay.

    Attributes:
        param_groups: of both.

    Source: Jordan et al. 2024, kellerjordan.github.io/posts/muon; the rate is scaled so that it suits AdamW, too:
    Liu et al. 2025, arXiv:2502.16982, section 2.2.
    """

    def __init__(self, inner: list[nn.Parameter], others: torch.optim.Optimizer, recipe: Recipe) -> None:
        self._inner, self._others = inner, others
        self._matrices = [nn.Parameter(_matrix(p.detach(), p)) for p in inner]  # they share the memory
        assert all(m.data_ptr() == p.data_ptr() for m, p in zip(self._matrices, inner, strict=True))
        self._muon = torch.optim.Muon(
            self._matrices,
            lr=recipe.lr,
            weight_decay=recipe.weight_decay,
            momentum=recipe.momentum,
            nesterov=recipe.nesterov,
            adjust_lr_fn="match_rms_adamw",
        )
        self.param_groups: list[dict[str, Any]] = [*self._muon.param_groups, *others.param_groups]

    @staticmethod
    def inner_matrices(model: nn.Module) -> list[nn.Parameter]:
        """Return the weights of all layers but the first convolution and the classifier."""
        convolutions = [m for m in model.modules() if isinstance(m, nn.Conv2d)]
        linear = [m for m in model.modules() if isinstance(m, nn.Linear)]
        outer = {id(layer.weight) for layer in (*convolutions[:1], *linear[-1:])}
        return [p for p in model.parameters() if p.ndim > 1 and id(p) not in outer]

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients."""
        for parameter, matrix in zip(self._inner, self._matrices, strict=True):
            parameter.grad = matrix.grad = None
        self._others.zero_grad(set_to_none)

    def step(self) -> None:
        """Change the weights by their gradients."""
        for parameter, matrix in zip(self._inner, self._matrices, strict=True):
            matrix.grad = None if parameter.grad is None else _matrix(parameter.grad, parameter)
        self._muon.step()  # type: ignore[no-untyped-call]
        self._others.step()

    def state_dict(self) -> dict[str, Any]:
        """Return the states of both."""
        return {"muon": self._muon.state_dict(), "others": self._others.state_dict()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from the states of both."""
        self._muon.load_state_dict(state_dict["muon"])
        self._others.load_state_dict(state_dict["others"])
        self.param_groups = [*self._muon.param_groups, *self._others.param_groups]


def _matrix(weights: Tensor, like: Tensor) -> Tensor:
    """Return a filter in each row, its weights in the order of another tensor's memory.

    Shapes:
        weights, like: (out, in) or (out, in, H, W); returns (out, the rest), a view where both have one memory order.
    """
    if like.ndim == 4 and not like.is_contiguous():  # channels_last
        weights = weights.permute(0, 2, 3, 1)
    return weights.reshape(len(weights), -1)
