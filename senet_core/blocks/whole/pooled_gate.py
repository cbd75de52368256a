"""A gate for every pair of places along two dimensions of a map, from the maximum and mean over the third."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class PooledGate(nn.Module):
    """Compute sigmoid(BN(conv7x7([max; mean]))) of a map, with maximum and mean over one of its dimensions.

    Args:
        dim: the dimension that is pooled: 1 for channels, 2 for rows, 3 for columns.

    Shapes:
        x: (N, C, H, W); returns the same with 1 in place of the pooled dimension, between 0 and 1.
    Source: Woo et al. 2018, arXiv:1807.06521, equation 3 (CBAM, of channels); Misra et al. 2020, arXiv:2010.03045,
        equations 1 and 2 (Z-pool, of each dimension). The batch norm is that of both papers' code.
    """

    def __init__(self, *, dim: int) -> None:
        super().__init__()
        self.dim = dim
        self.conv = nn.Conv2d(2, 1, 7, padding=3, bias=False)
        self.norm = nn.BatchNorm2d(1)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the gates."""
        pooled = torch.stack([x.amax(self.dim), x.mean(self.dim)], dim=1)
        gates: Tensor = self.norm(self.conv(pooled)).sigmoid().squeeze(1).unsqueeze(self.dim)
        return gates.to(x.dtype)
