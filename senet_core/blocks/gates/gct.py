"""Gated channel transformation: channels compete by their norms."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from senet_core.blocks.gates.positions import at_positions

EPS = 1e-5


class GatedChannels(nn.Module):
    """Compute gamma s / rms(s) + beta of s = alpha z, where rms(s)^2 is the mean of s^2 over channels + 1e-5.

    With squeeze `l2` and excitation `one-plus-tanh`, the block is GCT, and starts as the identity.

    Args:
        channels: descriptors in and logits out.
        bias: whether there is beta; the paper's has it.

    Shapes:
        z: (N, C) or (N, C, H, W); returns the same.

    Source: Yang et al. 2020, arXiv:1909.11519, equations 2 to 4; alpha starts at 1, gamma and beta at 0 (section 3.3).
    """

    def __init__(self, channels: int, *, bias: bool) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.ones(channels))
        self.gamma = nn.Parameter(torch.zeros(channels))
        self.beta = nn.Parameter(torch.zeros(channels)) if bias else None

    def forward(self, z: Tensor) -> Tensor:
        """Compute the logits."""
        return at_positions(self._logits, z)

    def _logits(self, z: Tensor) -> Tensor:
        s = z * self.alpha
        logits = self.gamma * s / (s.square().mean(dim=-1, keepdim=True) + EPS).sqrt()
        return logits if self.beta is None else logits + self.beta
