"""NAM's channel attention: the scales of a batch norm say how much a channel matters."""

from __future__ import annotations

from torch import Tensor, nn


class NormWeights(nn.Module):
    """Compute |gamma| / (sum of |gamma|) BN(z) in each channel; with squeeze `none`, the block is NAM's channel part.

    Args:
        channels: descriptors in and logits out.

    Shapes:
        z: (N, C) or (N, C, H, W); returns the same.

    Source: Liu et al. 2021, arXiv:2111.12419, equation 2.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(channels)

    def forward(self, z: Tensor) -> Tensor:
        """Compute the logits."""
        sizes = self.norm.weight.abs()
        weights = sizes / sizes.sum()
        normed: Tensor = self.norm(z.flatten(2) if z.dim() > 2 else z).reshape(z.shape)
        return normed * (weights if z.dim() == 2 else weights[:, None, None])
