"""scSE: the SE block and a gate of positions, side by side."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from senet_core.blocks.gates.bottleneck import Bottleneck
from senet_core.blocks.squeezes.paper import average_squeeze


class ScSE(nn.Module):
    """Combine the map weighed by channel with the map weighed by position.

    cSE(x) = sigmoid(W1 relu(W2 mean(x))) x, the SE block; sSE(x) = sigmoid(w . x) x, with one weight for each channel;
    the output is cSE(x) + sSE(x), or the larger of the two.

    Args:
        channels: channels of the map.
        width: units of the SE block's bottleneck, at least 1. The paper has half as many as channels, so r = 2.
        largest: take the larger of the two instead of their sum.

    Shapes:
        x: (N, C, H, W); returns the same.
    Source: Roy, Navab and Wachinger 2018, arXiv:1803.02579, section 2 (sum, no biases); the authors' later paper,
        arXiv:1808.08127, section III, prefers the maximum, and so does their code, which has biases.
    """

    def __init__(self, channels: int, *, width: int, largest: bool) -> None:
        super().__init__()
        self.largest = largest
        self.mlp = Bottleneck(channels, width=width, bias=False)
        self.conv = nn.Conv2d(channels, 1, 1, bias=False)

    def weights(self, x: Tensor) -> Tensor:
        """Compute the gates, between 0 and 2, or 1 for the maximum.

        Shapes:
            x: (N, C, H, W); returns the same.
        """
        of_channels = self.mlp(average_squeeze(x)).sigmoid()[:, :, None, None].to(x.dtype)
        of_positions = self.conv(x).sigmoid().to(x.dtype)
        if not self.largest:
            total: Tensor = of_channels + of_positions
            return total
        # of two products with a negative number, the larger is that of the smaller gate
        larger, smaller = torch.maximum(of_channels, of_positions), torch.minimum(of_channels, of_positions)
        return torch.where(x < 0, smaller, larger)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the block."""
        return x * self.weights(x)
