"""CBAM: gates of channels, then gates of positions."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from senet_core.blocks.gates.bottleneck import Bottleneck
from senet_core.blocks.squeezes.paper import average_squeeze
from senet_core.blocks.whole.pooled_gate import PooledGate


class CBAM(nn.Module):
    """Weigh the channels of a map, then the positions of what came of it.

    Mc(x) = sigmoid(MLP(mean(x)) + MLP(max(x))), over positions; Ms(x) = sigmoid(BN(conv7x7([max(x); mean(x)]))), over
    channels; x' = Mc(x) x; the output is Ms(x') x'.

    Args:
        channels: channels of the map.
        width: units of the one MLP that mean and maximum share, at least 1.

    Shapes:
        x: (N, C, H, W); returns the same.
    Source: Woo et al. 2018, arXiv:1807.06521, equations 1 to 3. The MLP has no biases, as there; the 7x7 convolution
        has a batch norm, as in the authors' code, whose networks start its scale at 0, while this one starts at 1.
    """

    def __init__(self, channels: int, *, width: int) -> None:
        super().__init__()
        self.mlp = Bottleneck(channels, width=width, bias=False)
        self.positions = PooledGate(dim=1)

    def weights(self, x: Tensor) -> Tensor:
        """Compute the gates: the product of those of channels and of positions.

        Shapes:
            x: (N, C, H, W); returns the same.
        """
        of_channels = self.of_channels(x)
        gates: Tensor = of_channels * self.positions(x * of_channels)
        return gates

    def of_channels(self, x: Tensor) -> Tensor:
        """Compute the gates of channels.

        Shapes:
            x: (N, C, H, W); returns (N, C, 1, 1).
        """
        gates = torch.sigmoid(self.mlp(average_squeeze(x)) + self.mlp(x.amax(dim=(2, 3))))
        return gates[:, :, None, None].to(x.dtype)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the block."""
        weighed = x * self.of_channels(x)
        y: Tensor = weighed * self.positions(weighed)
        return y
