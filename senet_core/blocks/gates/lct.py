"""LCT: descriptors normalised in groups of channels, with a weight and a bias for each channel."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import layer_norm

from senet_core.blocks.gates.positions import at_positions
from senet_core.errors import UserError

EPS = 1e-5


class LinearContext(nn.Module):
    """Compute w (z - mean) / sqrt(variance + 1e-5) + b, with the mean and the variance of a group of channels.

    Args:
        channels: descriptors in and logits out.
        groups: groups, each of at least two channels.
        bias: whether there is b; the paper's has it.

    Shapes:
        z: (N, C) or (N, C, H, W); returns the same.

    Raises:
        UserError: the channels cannot be divided into groups of at least two.
    Source: Ruan et al. 2020, arXiv:1909.03834, equations 4 to 6.
    """

    def __init__(self, channels: int, *, groups: int, bias: bool) -> None:
        super().__init__()
        if channels % groups or channels < 2 * groups:
            raise UserError(
                f"gate 'lct{groups}' has {groups} groups of at least two channels, into which {channels} channels"
                " cannot be divided"
            )
        self.groups = groups
        self.w = nn.Parameter(torch.ones(channels))
        self.b = nn.Parameter(torch.zeros(channels)) if bias else None

    def forward(self, z: Tensor) -> Tensor:
        """Compute the logits."""
        return at_positions(self._logits, z)

    def _logits(self, z: Tensor) -> Tensor:
        of_groups = z.reshape(*z.shape[:-1], self.groups, -1)
        logits = layer_norm(of_groups, of_groups.shape[-1:], eps=EPS).flatten(-2) * self.w
        return logits if self.b is None else logits + self.b
