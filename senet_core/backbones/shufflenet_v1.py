"""ShuffleNet v1 of width 1 with 3 groups (Zhang et al. 2017). SE blocks weigh the branch of each unit."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from senet_core.backbones.layers import ConvBNReLU, he_normal
from senet_core.units import Channels, Layers, SEUnit, UnitForm, unit_form

GROUPS = 3
STEM = 24
STAGES = ((240, 4), (480, 8), (960, 4))
"""Channels and units of stages 2 to 4."""


@unit_form("senet_core.backbones.shufflenet_v1.ShuffleUnit")
class ShuffleForm(UnitForm):
    """Gate before the branch is added to the shortcut, or, where the unit strides, appended to it.

    The paper does not say where its SE-ShuffleNet has the blocks. Blocks on the merged map, the other likely
    place, would add 0.72 M parameters instead of 0.61 M; the paper's Table 3 has 0.6 M more.
    """

    integrations = ("standard",)
    keeps = ("stride",)

    def channels(self, block: Layers) -> Channels:
        """Return the channels of the convolutions."""
        return Channels(block.conv1.conv.in_channels, block.conv2.in_channels, block.conv3.out_channels)

    def branch(self, unit: Layers, x: Tensor) -> Tensor:
        """Compute f(x): grouped 1x1, shuffle, 3x3 of each channel by itself, grouped 1x1."""
        y: Tensor = unit.bn2(unit.conv2(shuffled(unit.conv1(x))))
        y = unit.bn3(unit.conv3(y))
        return y

    def merged(self, unit: Layers, branch: Tensor, x: Tensor) -> Tensor:
        """Join branch and shortcut, and apply the ReLU."""
        if unit.stride == 1:
            return (branch + x).relu_()
        pooled = F.avg_pool2d(x, 3, stride=2, padding=1)
        return torch.cat((pooled, branch), dim=1).relu_()

    def is_residual(self, block: Layers) -> bool:
        """Return whether the branch is added; where the unit strides, it is appended."""
        return bool(block.stride == 1)

    def plain(self, block: Layers, x: Tensor) -> Tensor:
        """Join branch and shortcut."""
        y, drop = self.branch(block, x), self.drop(block)
        return self.merged(block, y if drop is None else drop(y), x)

    def gated(self, unit: SEUnit, x: Tensor) -> Tensor:
        """Weigh the branch, then join."""
        y: Tensor = unit.se(self.branch(unit, x))
        drop = self.drop(unit)
        return self.merged(unit, y if drop is None else drop(y), x)


def shuffled(x: Tensor) -> Tensor:
    """Spread the channels of each group over all groups.

    Shapes:
        x: (N, C, H, W); returns the same.
    Source: Zhang et al. 2017, arXiv:1707.01083, section 3.1.
    """
    batch, channels, height, width = x.shape
    return x.view(batch, GROUPS, channels // GROUPS, height, width).transpose(1, 2).flatten(1, 2)


class ShuffleUnit(nn.Module):
    """A bottleneck of grouped 1x1 convolutions around a 3x3 convolution of each channel by itself.

    Args:
        into: channels of the input.
        out: channels of the output; where the unit strides, the shortcut gives `into` of them.
        stride: 1 or 2.
        first_groups: of the first convolution.

    Shapes:
        x: (N, into, H, W); returns (N, out, ceil(H / stride), ceil(W / stride)).
    Source: Zhang et al. 2017, arXiv:1707.01083, Fig. 2.
    """

    form = ShuffleForm()

    def __init__(self, into: int, out: int, *, stride: int, first_groups: int) -> None:
        super().__init__()
        inner, ends = out // 4, out if stride == 1 else out - into
        self.stride = stride
        self.conv1 = ConvBNReLU(into, inner, 1, groups=first_groups)
        self.conv2 = nn.Conv2d(inner, inner, 3, stride=stride, padding=1, groups=inner, bias=False)
        self.bn2 = nn.BatchNorm2d(inner)
        self.conv3 = nn.Conv2d(inner, ends, 1, groups=GROUPS, bias=False)
        self.bn3 = nn.BatchNorm2d(ends)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the unit."""
        return self.form.plain(self, x)


class ShuffleNetV1(nn.Module):
    """ShuffleNet v1.

    Args:
        num_classes: outputs.
        in_channels: channels of the images.

    Shapes:
        x: (N, in_channels, H, W); returns logits (N, num_classes).
    Source: Zhang et al. 2017, arXiv:1707.01083, Table 1. The first 1x1 convolution of stage 2 has one group.
    """

    def __init__(self, *, num_classes: int, in_channels: int = 3) -> None:
        super().__init__()
        self.stem = ConvBNReLU(in_channels, STEM, 3, stride=2, padding=1)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        into = STEM
        stages = []
        for out, units in STAGES:
            stage = nn.Sequential()
            for index in range(units):
                groups = 1 if into == STEM else GROUPS
                stage.append(ShuffleUnit(into, out, stride=2 if index == 0 else 1, first_groups=groups))
                into = out
            stages.append(stage)
        self.stage2, self.stage3, self.stage4 = stages
        self.fc = nn.Linear(into, num_classes)
        he_normal(self)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits."""
        x = self.stage4(self.stage3(self.stage2(self.maxpool(self.stem(x)))))
        logits: Tensor = self.fc(x.mean(dim=(2, 3)))
        return logits
