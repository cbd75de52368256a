"""Coordinate attention: a gate for each row and one for each column, of every channel."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import hardswish


class CoordinateAttention(nn.Module):
    """Weigh a map by gates that know the row, and by gates that know the column.

    f = hardswish(BN(F([mean of each row; mean of each column]))), with F to `width` channels;
    y = x sigmoid(Fh(f of rows)) sigmoid(Fw(f of columns)); F, Fh and Fw are 1x1 convolutions.

    Args:
        channels: channels of the map.
        width: channels of f, at least 1.

    Shapes:
        x: (N, C, H, W); returns the same.
    Source: Hou, Zhou and Feng 2021, arXiv:2103.02907, equations 4 to 8, where the function after F is left open;
        hardswish and batch norm are the authors' code's. That has a bias in F, too, which the norm takes away.
    """

    def __init__(self, channels: int, *, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, width, 1, bias=False)
        self.norm = nn.BatchNorm2d(width)
        self.rows = nn.Conv2d(width, channels, 1)
        self.columns = nn.Conv2d(width, channels, 1)

    def weights(self, x: Tensor) -> Tensor:
        """Compute the gates: the product of those of rows and of columns.

        Shapes:
            x: (N, C, H, W); returns the same.
        """
        positions = list(x.shape[2:])
        means = torch.cat([x.mean(3, keepdim=True), x.mean(2, keepdim=True).transpose(2, 3)], dim=2)
        rows, columns = torch.split(hardswish(self.norm(self.conv(means))), positions, dim=2)
        gates: Tensor = self.rows(rows).sigmoid() * self.columns(columns.transpose(2, 3)).sigmoid()
        return gates.to(x.dtype)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the block."""
        return x * self.weights(x)
