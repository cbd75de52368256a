"""Triplet attention: the mean of three gates, one for each pair of dimensions."""

from __future__ import annotations

from torch import Tensor, nn

from senet_core.blocks.whole.pooled_gate import PooledGate


class TripletAttention(nn.Module):
    """Weigh a map by the mean of its gates for (channel, column), (row, channel) and (row, column).

    y = x (g_C(x) + g_H(x) + g_W(x)) / 3 where g_D is sigmoid(BN(conv7x7([max; mean]))) over the dimension D.

    Args:
        channels: channels of the map; the block has as many parameters for any number.
        width: is not read; there is no bottleneck.

    Shapes:
        x: (N, C, H, W); returns the same.
    Source: Misra et al. 2020, arXiv:2010.03045, equations 1 to 3. The paper rotates the map to have the gate of columns
        read (row, channel); here it reads (channel, row), which transposes its kernel.
    """

    def __init__(self, channels: int, *, width: int) -> None:
        super().__init__()
        self.gates = nn.ModuleList(PooledGate(dim=dim) for dim in (1, 2, 3))

    def weights(self, x: Tensor) -> Tensor:
        """Compute the gates.

        Shapes:
            x: (N, C, H, W); returns the same.
        """
        first, second, third = (gate(x) for gate in self.gates)
        mean: Tensor = (first + second + third) / 3
        return mean

    def forward(self, x: Tensor) -> Tensor:
        """Compute the block."""
        return x * self.weights(x)
