"""GC block's squeeze: a mean over positions, weighed by a softmax."""

from __future__ import annotations

from torch import Tensor, nn


class ContextSqueeze(nn.Module):
    """Summarise each channel by its mean over positions, weighed by the softmax of a 1x1 convolution to one channel.

    Args:
        channels: channels of the map.

    Shapes:
        x: (N, C, H, W); returns (N, C), in the units of x.

    Source: Cao et al. 2019, arXiv:1904.11492, equation 5; a GC block with gate `gc`, excitation `linear` and
        fusion `add`.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.attention = nn.Conv2d(channels, 1, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the means."""
        weights = self.attention(x).flatten(2).softmax(dim=2).to(x.dtype)
        context: Tensor = (x.flatten(2) @ weights.transpose(1, 2)).squeeze(2)
        return context
