"""Gather with parameters: strided depthwise convolutions (gather-excite, theta)."""

from __future__ import annotations

from torch import Tensor, nn


class LearnedGather(nn.Module):
    """Gather neighbourhoods by 3 x 3 depthwise convolutions of stride 2, each with a batch norm, ReLU between them.

    Args:
        channels: channels of the map.
        halvings: convolutions; the extent is 2 to this power.

    Shapes:
        x: (N, C, H, W); returns (N, C, ceil(H / extent), ceil(W / extent)).

    Source: Hu et al. 2018, arXiv:1810.12348, section 4.1; with gate `identity` it is theta, with `bottleneck` theta+.
    """

    def __init__(self, channels: int, *, halvings: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for _ in range(halvings):
            layers += [
                nn.Conv2d(channels, channels, 3, stride=2, padding=1, groups=channels, bias=False),
                nn.BatchNorm2d(channels),
                nn.ReLU(),
            ]
        self.layers = nn.Sequential(*layers[:-1])

    def forward(self, x: Tensor) -> Tensor:
        """Gather."""
        gathered: Tensor = self.layers(x)
        return gathered
