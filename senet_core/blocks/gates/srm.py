"""SRM's gate: a weighted sum of a channel's two descriptors, and a batch norm."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Style(nn.Module):
    """Compute BN(w1 mean + w2 deviation) in each channel; with squeeze `mean-std`, the block is SRM.

    Args:
        channels: logits out.

    Shapes:
        z: (N, 2, C); returns (N, C).

    Source: Lee, Kim and Nam 2019, arXiv:1903.10829, equations 3 to 6.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        bound = 2**-0.5
        self.w = nn.Parameter(torch.empty(2, channels).uniform_(-bound, bound))
        self.norm = nn.BatchNorm1d(channels)

    def forward(self, z: Tensor) -> Tensor:
        """Compute the logits."""
        logits: Tensor = self.norm((z * self.w).sum(dim=1))
        return logits
