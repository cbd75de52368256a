"""EMA, efficient multi-scale attention: gates of positions for each group of channels."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from senet_core.errors import UserError


class MultiScaleAttention(nn.Module):
    """Weigh the positions of every group of channels by what two branches say of each other.

    For each group u of `width` channels, with the same weights for all groups: [h; w] = conv1x1([mean of each row;
    mean of each column]); a = GN(u sigmoid(h) sigmoid(w)), normalised over the positions of each channel;
    b = conv3x3(u); y = u sigmoid(softmax(mean(a)) . b + softmax(mean(b)) . a), with means over positions and sums over
    channels.

    The mean of a normalised map is its bias, whatever the image: softmax(mean(a)) is the softmax of the norm's biases,
    the same for all images. So it is in the paper and in its code, and here. With one channel in a group both softmaxes
    are 1.

    Args:
        channels: channels of the map.
        width: channels of each group. The reduction ratio is the number of groups; the paper has 32.

    Shapes:
        x: (N, C, H, W); returns the same.

    Raises:
        UserError: the groups would not be equally large.
    Source: Ouyang et al. 2023, arXiv:2305.13563, section 3.2 and Fig. 3; biases and norm as in the authors' code.
    """

    def __init__(self, channels: int, *, width: int) -> None:
        super().__init__()
        if channels % width:
            raise UserError(
                f"block 'ema' cannot split {channels} channels into groups of {width}: choose a reduction ratio that"
                " divides the channels of every stage"
            )
        self.width = width
        self.conv1x1 = nn.Conv2d(width, width, 1)
        self.conv3x3 = nn.Conv2d(width, width, 3, padding=1)
        self.norm = nn.GroupNorm(width, width)

    def weights(self, x: Tensor) -> Tensor:
        """Compute the gates.

        Shapes:
            x: (N, C, H, W); returns the same, the gates of a group's channels being equal.
        """
        batch, channels, *positions = x.shape
        u = x.reshape(-1, self.width, *positions)
        means = torch.cat([u.mean(3, keepdim=True), u.mean(2, keepdim=True).transpose(2, 3)], dim=2)
        rows, columns = torch.split(self.conv1x1(means).sigmoid(), positions, dim=2)
        a = self.norm(u * rows * columns.transpose(2, 3))
        b = self.conv3x3(u)
        of_a, of_b = (branch.mean((2, 3), keepdim=True).softmax(1) for branch in (a, b))
        logits = (of_a * b).sum(1) + (of_b * a).sum(1)
        gates: Tensor = logits.sigmoid().to(x.dtype).reshape(batch, channels // self.width, *positions)
        return gates.repeat_interleave(self.width, dim=1)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the block."""
        return x * self.weights(x)
