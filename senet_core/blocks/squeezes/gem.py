"""GeM: the generalised mean over positions, with a learned exponent."""

from __future__ import annotations

import torch
from torch import Tensor, nn

FLOOR = 1e-6
START = 3.0


class GeneralisedMean(nn.Module):
    """Summarise each channel by (mean of x^p)^(1/p): p = 1 is the mean, a large p comes near to the maximum.

    Shapes:
        x: (N, C, H, W); returns (N, C), in the units of x. Values below 1e-6 count as 1e-6.

    Source: Radenovic, Tolias and Chum 2018, arXiv:1711.02512, equation 3; p starts at 3, as there.
    """

    def __init__(self) -> None:
        super().__init__()
        self.p = nn.Parameter(torch.tensor([START]))

    def forward(self, x: Tensor) -> Tensor:
        """Compute the means; in float32, since powers of small numbers leave the range of 16 bits."""
        p = self.p.float()
        mean: Tensor = x.float().clamp_min(FLOOR).pow(p).mean(dim=(2, 3))
        return mean.pow(1 / p).to(x.dtype)
