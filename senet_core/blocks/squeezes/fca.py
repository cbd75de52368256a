"""FcaNet's squeeze: each group of channels is summarised by one coefficient of the discrete cosine transform."""

from __future__ import annotations

from collections.abc import Sequence
from math import pi

import torch
from torch import Tensor, nn

from senet_core.errors import UserError

GRID = 7
"""The frequencies were chosen on maps of 7 x 7; on larger ones they are the same per position."""
TOP16 = (
    (0, 0), (0, 1), (6, 0), (0, 5), (0, 2), (1, 0), (1, 2), (4, 0),
    (5, 0), (1, 6), (3, 0), (0, 4), (0, 6), (0, 3), (3, 5), (2, 2),
)  # fmt: skip
LOW16 = (
    (0, 0), (0, 1), (1, 0), (1, 1), (0, 2), (2, 0), (2, 1), (1, 2),
    (2, 2), (0, 3), (3, 0), (4, 0), (0, 4), (1, 3), (3, 1), (0, 5),
)  # fmt: skip


class FrequencySqueeze(nn.Module):
    """Summarise the k-th group of channels by its coefficient at the k-th frequency (u, v).

    The coefficient is the sum over positions (i, j) of x b(u, i, H) b(v, j, W), where b(u, i, H) =
    cos(pi u (i + 1/2) / H) sqrt((2 if u > 0 else 1) / H): at (0, 0) it is the mean times sqrt(H W).

    Args:
        channels: channels of the map, a multiple of the number of frequencies.
        name: the entry's name, for the message.
        frequencies: (u, v) of each group, on a grid of 7 x 7; a map of H rows has u times max(1, H // 7).

    Shapes:
        x: (N, C, H, W); returns (N, C), in the units of x.

    Raises:
        UserError: the channels cannot be divided into so many groups.
    Source: Qin, Zhang, Wu and Li 2021, arXiv:2012.11879, equations 2 and 8.
    """

    def __init__(self, channels: int, *, name: str, frequencies: Sequence[tuple[int, int]]) -> None:
        super().__init__()
        if channels % len(frequencies):
            raise UserError(
                f"squeeze {name!r} has a frequency for each of {len(frequencies)} groups of channels, into which"
                f" {channels} channels cannot be divided"
            )
        self.share = channels // len(frequencies)
        self.frequencies = tuple(frequencies)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the coefficients; sums of products have a gradient that is the same in every run."""
        rows, columns = (
            _waves([pair[side] for pair in self.frequencies], x.shape[2 + side], x.device) for side in (0, 1)
        )
        basis = (rows[:, :, None] * columns[:, None, :]).repeat_interleave(self.share, dim=0)
        return (x * basis.to(x.dtype)).sum(dim=(2, 3))


def _waves(frequencies: Sequence[int], size: int, device: torch.device) -> Tensor:
    """Return the cosine of each frequency at each position, of norm 1: (frequencies, size)."""
    u = torch.tensor(frequencies, dtype=torch.float32, device=device)[:, None]
    position = torch.arange(size, dtype=torch.float32, device=device) + 0.5
    waves = torch.cos(pi * u * max(1, size // GRID) * position / size)
    return waves * torch.where(u > 0, 2.0, 1.0).div(size).sqrt()
