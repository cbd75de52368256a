"""ECA: a convolution over neighbouring channels."""

from __future__ import annotations

from math import log2

from torch import Tensor, nn


def kernel_size(channels: int) -> int:
    """Return the odd number nearest to (log2(channels) + 1) / 2, the larger one of two.

    Source: arXiv:1910.03151, equation 12, with gamma = 2 and b = 1.
    """
    return 2 * int((log2(channels) + 1) / 4) + 1


class Neighbours(nn.Module):
    """Compute each channel's logit from its k nearest channels, with the same k weights everywhere.

    Args:
        channels: descriptors in and logits out.
        bias: whether a number is added to every logit; the paper has none.
        circular: whether the first and the last channel are neighbours; else zeros stand beyond them.

    Shapes:
        z: (N, C) or (N, C, H, W); returns the same.

    Source: Wang et al. 2020, arXiv:1910.03151, equations 7 and 12.
    """

    def __init__(self, channels: int, *, bias: bool, circular: bool) -> None:
        super().__init__()
        k = kernel_size(channels)
        # a column, so that one convolution serves the positions of a map, too
        self.conv = nn.Conv2d(
            1, 1, (k, 1), padding=(k // 2, 0), bias=bias, padding_mode="circular" if circular else "zeros"
        )

    def forward(self, z: Tensor) -> Tensor:
        """Compute the logits."""
        logits: Tensor = self.conv(z.flatten(2).unsqueeze(1) if z.dim() > 2 else z[:, None, :, None])
        return logits.reshape(z.shape)
