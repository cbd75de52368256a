"""SGE: how alike a position and the mean are, in each group of channels."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from senet_core.errors import UserError

EPS = 1e-5


class GroupSimilarity(nn.Module):
    """Give each position of a group the logit w (c - mean) / (deviation + 1e-5) + b.

    c is the product of the position's channels and of their means over the map, summed over the group; mean and
    deviation are over positions. With gate `identity` and excitation `sigmoid`, the block is SGE.

    Args:
        channels: channels of the map.
        groups: groups, each of at least two channels.

    Shapes:
        x: (N, C, H, W); returns the same: channels of a group have equal logits.

    Raises:
        UserError: the channels cannot be divided into groups of at least two.
    Source: Li, Hu and Yang 2019, arXiv:1905.09646, equations 1 to 5; w starts at 0 and b at 1, as in its section 3.
    """

    def __init__(self, channels: int, *, groups: int) -> None:
        super().__init__()
        if channels % groups or channels < 2 * groups:
            raise UserError(
                f"squeeze 'sge{groups}' has {groups} groups of at least two channels, into which {channels} channels"
                " cannot be divided"
            )
        self.groups = groups
        self.w = nn.Parameter(torch.zeros(groups))
        self.b = nn.Parameter(torch.ones(groups))

    def forward(self, x: Tensor) -> Tensor:
        """Compute the logits."""
        of_groups = x.reshape(x.shape[0], self.groups, -1, *x.shape[2:])
        c = (of_groups * of_groups.mean(dim=(3, 4), keepdim=True)).sum(dim=2)
        variance = c.var(dim=(2, 3), correction=0, keepdim=True)
        # the root has no finite slope at 0, which is the variance of a dead group
        normed = (c - c.mean(dim=(2, 3), keepdim=True)) / (variance.clamp_min(EPS**2).sqrt() + EPS)
        logits = normed * self.w[:, None, None] + self.b[:, None, None]
        return logits[:, :, None].expand(of_groups.shape).reshape(x.shape)
