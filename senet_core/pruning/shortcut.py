"""PrunedShortcut: the shortcut that fills new channels with zeros, for networks of which channels are removed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

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

    places: Tensor

    def __init__(self, sources: Sequence[int], *, in_channels: int, stride: int) -> None:
        super().__init__()
        self.sources, self.in_channels, self.stride = tuple(sources), in_channels, stride
        self.register_buffer("places", torch.tensor(self.sources), persistent=False)

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
        return F.pad(kept, (0, 0, 0, 0, 0, 1)).index_select(1, self.places)

    def remove_inputs(self, channels: Sequence[int]) -> None:
        """Remove input channels; what copied them is zeros."""
        gone = set(channels)
        left = [channel for channel in range(self.in_channels) if channel not in gone]
        moved = {channel: place for place, channel in enumerate(left)}
        self.in_channels = len(left)
        self._set(moved.get(source, len(left)) for source in self.sources)

    def remove_outputs(self, channels: Sequence[int]) -> None:
        """Remove output channels."""
        gone = set(channels)
        self._set(source for place, source in enumerate(self.sources) if place not in gone)

    def extra_repr(self) -> str:
        """Return the channels and the stride, for `repr`."""
        return f"in_channels={self.in_channels}, out_channels={len(self.sources)}, stride={self.stride}"

    def _set(self, sources: Iterable[int]) -> None:
        self.sources = tuple(sources)
        self.places = torch.tensor(self.sources, device=self.places.device)
