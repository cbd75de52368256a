"""The CIFAR ResNets of He et al. 2015."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from senet_core.backbones.subsampling import subsample
from senet_core.kernel_hook import norm_add_relu, norm_relu

WIDTHS = (16, 32, 64)


class ZeroPadShortcut(nn.Module):
    """Subsample by the stride and fill new channels with zeros: the shortcut without parameters (option A).

    Args:
        added: channels to add, half before and half after the old ones.
        stride: step over rows and columns.

    Shapes:
        x: (N, C, H, W); returns (N, C + added, ceil(H / stride), ceil(W / stride)).
    Source: He et al. 2015, arXiv:1512.03385, section 4.2.
    """

    def __init__(self, added: int, *, stride: int) -> None:
        super().__init__()
        self.added = added
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        """Compute the layer."""
        before = self.added // 2
        kept = subsample(x, self.stride)
        return F.pad(kept, (0, 0, 0, 0, before, self.added - before))


class BasicUnit(nn.Module):
    """Two 3x3 convolutions with batch norm, and a shortcut around them.

    Args:
        in_channels: channels of the input.
        out_channels: channels of both convolutions.
        stride: of the first convolution.

    Shapes:
        x: (N, in_channels, H, W); returns (N, out_channels, ceil(H / stride), ceil(W / stride)).
    Source: He et al. 2015, arXiv:1512.03385, Fig. 2.
    """

    def __init__(self, in_channels: int, out_channels: int, *, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(out_channels)
        self.downsample: nn.Module | None = None
        if stride != 1 or in_channels != out_channels:
            self.downsample = ZeroPadShortcut(out_channels - in_channels, stride=stride)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the unit."""
        inner = norm_relu(self.bn1, self.conv1(x))
        shortcut = x if self.downsample is None else self.downsample(x)
        return norm_add_relu(self.bn2, self.conv2(inner), shortcut)


class CifarResNet(nn.Module):
    """A ResNet for 32x32 images: three stages of n units with 16, 32 and 64 channels, in all 6n+2 layers.

    Args:
        depth: 6n+2 with n at least 1.
        num_classes: outputs.
        in_channels: channels of the images.

    Shapes:
        x: (N, in_channels, H, W), H and W of any size; returns logits (N, num_classes).

    Raises:
        ValueError: the depth is not 6n+2.
    The weights of convolutions are drawn by the size of their input (fan_in), in every other family by that of their
    output: He et al. 2015, arXiv:1502.01852, has both, and these networks keep what they were first trained with.

    Source: He et al. 2015, arXiv:1512.03385, section 4.2; stages are numbered 2 to 4, as conv2_x to conv4_x.
    """

    def __init__(self, depth: int, *, num_classes: int, in_channels: int = 3) -> None:
        super().__init__()
        if depth < 8 or depth % 6 != 2:
            raise ValueError(f"depth must be 6n+2 (8, 14, 20, ...), got {depth!r}")
        units = (depth - 2) // 6
        self.conv1 = nn.Conv2d(in_channels, WIDTHS[0], 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(WIDTHS[0])
        self.layer1 = _stage(WIDTHS[0], WIDTHS[0], units, stride=1)
        self.layer2 = _stage(WIDTHS[0], WIDTHS[1], units, stride=2)
        self.layer3 = _stage(WIDTHS[1], WIDTHS[2], units, stride=2)
        self.fc = nn.Linear(WIDTHS[2], num_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits."""
        x = norm_relu(self.bn1, self.conv1(x))
        x = self.layer3(self.layer2(self.layer1(x)))
        logits: Tensor = self.fc(x.mean(dim=(2, 3)))
        return logits


def _stage(in_channels: int, out_channels: int, units: int, *, stride: int) -> nn.Sequential:
    first = BasicUnit(in_channels, out_channels, stride=stride)
    rest = (BasicUnit(out_channels, out_channels, stride=1) for _ in range(units - 1))
    return nn.Sequential(first, *rest)
