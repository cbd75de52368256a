"""PrunedShortcut: the shortcut that fills new channels with zeros, for networks of which channels are removed."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from senet_core.backbones.cifar_resnet import ZeroPadShortcut
from senet_core.backbones.subsampling import subsample


class PrunedShortcut(nn.Module):
    """Subsample by the stride; each output channel is one of the input's, or zeros.

    Args:
        sources: for each output channel the input channel that it copies; the number of input channels for zeros.
        in_channels: channels of the input.
        stride: step over rows and columns.

    Shapes:
        x: (N, in_channels, H, W); returns (N, len(sources), ceil(H / stride), ceil(W / stride)).
    Source: ours; what is left of option A of He et al. 2015, arXiv:1512.03385, section 4.2.
    """

    sources: Tensor

    def __init__(self, sources: Sequence[int], *, in_channels: int, stride: int) -> None:
        super().__init__()
        self.in_channels, self.stride = in_channels, stride
        self.register_buffer("sources", torch.tensor(sources))

    @classmethod
    def of(cls, shortcut: ZeroPadShortcut, in_channels: int) -> PrunedShortcut:
        """Return the shortcut that computes the same, of which channels can be removed."""
        before = shortcut.added // 2
        zeros = [in_channels]
        sources = [*before * zeros, *range(in_channels), *(shortcut.added - before) * zeros]
        return cls(sources, in_channels=in_channels, stride=shortcut.stride)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the layer."""
        kept = subsample(x, self.stride)
        return F.pad(kept, (0, 0, 0, 0, 0, 1)).index_select(1, self.sources)

    def remove_inputs(self, channels: Sequence[int]) -> None:
        """Remove input channels; what copied them is zeros."""
        place = torch.full((self.in_channels + 1,), -1)
        left = [channel for channel in range(self.in_channels + 1) if channel not in set(channels)]
        place[left] = torch.arange(len(left))
        self.in_channels = len(left) - 1
        moved = place[self.sources.cpu()]
        self.sources = torch.where(moved < 0, self.in_channels, moved).to(self.sources.device)

    def remove_outputs(self, channels: Sequence[int]) -> None:
        """Remove output channels."""
        left = torch.ones(len(self.sources), dtype=torch.bool)
        left[list(channels)] = False
        self.sources = self.sources[left.to(self.sources.device)]

    def extra_repr(self) -> str:
        """Return the channels and the stride, for `repr`."""
        return f"in_channels={self.in_channels}, out_channels={len(self.sources)}, stride={self.stride}"
