"""Gate networks of one layer: fully connected, spatial, normalisation over channels."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import layer_norm

from senet_core.blocks.gates.positions import at_positions

EPS = 1e-5


class Full(nn.Linear):
    """One fully connected layer, on vectors or at every position: eSE's (arXiv:1911.06667, equation 2).

    Shapes:
        z: (N, C) or (N, C, H, W); returns the same.
    """

    def forward(self, z: Tensor) -> Tensor:
        """Compute the logits."""
        return at_positions(super().forward, z)


class Spatial(nn.Module):
    """One logit for all channels of a position: sSE's (arXiv:1803.02579, section 2.2), with squeeze `none`.

    Args:
        channels: descriptors in and logits out; the latter are equal.
        bias: whether the logit has a bias.

    Shapes:
        z: (N, C) or (N, C, H, W); returns the same.
    """

    def __init__(self, channels: int, *, bias: bool) -> None:
        super().__init__()
        self.layer = nn.Linear(channels, 1, bias=bias)

    def forward(self, z: Tensor) -> Tensor:
        """Compute the logits."""
        return at_positions(self.layer, z).expand_as(z)


class ChannelNorm(nn.Module):
    """Subtract the mean over channels, and divide by sqrt(variance + 1e-5).

    With excitation `gaussian`, it is the Gaussian context transformer.

    Shapes:
        z: (N, C) or (N, C, H, W); returns the same, dimensionless.

    Source: Ruan, Wang, Zheng and Zheng 2021, "Gaussian Context Transformer" (CVPR), equations 4 and 5.
    """

    def forward(self, z: Tensor) -> Tensor:
        """Normalise."""
        return at_positions(lambda vectors: layer_norm(vectors, vectors.shape[-1:], eps=EPS), z)
