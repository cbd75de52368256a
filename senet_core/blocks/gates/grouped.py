"""A bottleneck in two groups: halves of the channels do not see each other."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from senet_core.blocks.gates.bottleneck import Bottleneck
from senet_core.errors import UserError

GROUPS = 2


class Grouped(nn.Module):
    """Map descriptors to logits through two bottlenecks side by side, with half of the weights of one.

    Args:
        channels: descriptors in and logits out, an even number.
        width: units of both bottlenecks together, an even number.
        bias: whether the layers have biases.

    Shapes:
        z: (N, C) or (N, C, H, W); returns the same.

    Raises:
        UserError: channels or width cannot be divided by two.
    """

    def __init__(self, channels: int, *, width: int, bias: bool) -> None:
        super().__init__()
        if channels % GROUPS or width % GROUPS:
            raise UserError(
                f"gate 'grouped' has {GROUPS} groups, into which {channels} channels and {width} units cannot be"
                " divided; another reduction makes another number of units"
            )
        self.groups = nn.ModuleList(
            Bottleneck(channels // GROUPS, width=width // GROUPS, bias=bias) for _ in range(GROUPS)
        )

    def forward(self, z: Tensor) -> Tensor:
        """Compute the logits."""
        halves = z.chunk(GROUPS, dim=1)
        return torch.cat([group(half) for group, half in zip(self.groups, halves, strict=True)], dim=1)
