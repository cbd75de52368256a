"""BN-Inception (Ioffe and Szegedy 2015). SE blocks weigh the concatenated output of each module."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from senet_core.backbones.layers import ConvBNReLU, he_normal
from senet_core.units import Channels, Layers, OutputForm, unit_form


@dataclass(frozen=True)
class Widths:
    """Channels of a module's convolutions.

    Attributes:
        single: of the 1x1 branch; 0 where the module strides and has none.
        three: of the 3x3 branch: its 1x1 and its 3x3 convolution.
        double: of the double 3x3 branch: its 1x1 and its two 3x3 convolutions, which are alike.
        pool: of the 1x1 convolution after pooling; 0 where the module strides and has none.
        pooling: "average" or "max".
    """

    single: int
    three: tuple[int, int]
    double: tuple[int, int]
    pool: int
    pooling: str = "average"

    @property
    def strides(self) -> bool:
        """Whether the module halves the resolution."""
        return self.single == 0


MODULES = {
    "3a": Widths(64, (64, 64), (64, 96), 32),
    "3b": Widths(64, (64, 96), (64, 96), 64),
    "3c": Widths(0, (128, 160), (64, 96), 0, "max"),
    "4a": Widths(224, (64, 96), (96, 128), 128),
    "4b": Widths(192, (96, 128), (96, 128), 128),
    "4c": Widths(160, (128, 160), (128, 160), 128),
    "4d": Widths(96, (128, 192), (160, 192), 128),
    "4e": Widths(0, (128, 192), (192, 256), 0, "max"),
    "5a": Widths(352, (192, 320), (160, 224), 128),
    "5b": Widths(352, (192, 320), (192, 224), 128, "max"),
}


@unit_form("senet_core.backbones.bn_inception.InceptionModule")
class InceptionForm(OutputForm):
    """Gate the concatenated branches."""

    keeps = ("widths", "into", "out")

    def channels(self, block: Layers) -> Channels:
        """Return the channels that the module was built with; there is no single 3x3 convolution."""
        return Channels(block.into, 0, block.out)

    def output(self, unit: Layers, x: Tensor) -> Tensor:
        """Compute the branches and concatenate them."""
        widths: Widths = unit.widths
        three, double = unit.branch3x3(x), unit.branch_double(x)
        if widths.strides:
            return torch.cat((three, double, halved(x)), dim=1)
        if widths.pooling == "max":
            pooled = F.max_pool2d(x, 3, stride=1, padding=1)
        else:
            pooled = F.avg_pool2d(x, 3, stride=1, padding=1)
        return torch.cat((unit.branch1x1(x), three, double, unit.branch_pool(pooled)), dim=1)


def halved(x: Tensor) -> Tensor:
    """Max-pool over 3x3 with stride 2, to half the size, rounded up.

    Caffe's pooling has no padding and rounds up, which halves even sizes exactly. Odd sizes need padding to
    agree with the strided convolutions beside it.

    Shapes:
        x: (N, C, H, W); returns (N, C, ceil(H / 2), ceil(W / 2)).
    """
    odd = (x.shape[2] % 2, x.shape[3] % 2)
    return F.max_pool2d(x, 3, stride=2, padding=odd, ceil_mode=True)


class InceptionModule(nn.Module):
    """Branches of a 1x1, a 3x3 and a double 3x3 convolution and of pooling, side by side.

    Args:
        into: channels of the input.
        widths: channels of the convolutions.

    Shapes:
        x: (N, into, H, W); returns (N, out, H, W), or half the size, rounded up, where the module strides.
    Source: Ioffe and Szegedy 2015, arXiv:1502.03167, appendix, Fig. 5.
    """

    form = InceptionForm()

    def __init__(self, into: int, widths: Widths) -> None:
        super().__init__()
        stride = 2 if widths.strides else 1
        self.widths, self.into = widths, into
        self.branch3x3 = nn.Sequential(
            ConvBNReLU(into, widths.three[0], 1),
            ConvBNReLU(*widths.three, 3, stride=stride, padding=1),
        )
        self.branch_double = nn.Sequential(
            ConvBNReLU(into, widths.double[0], 1),
            ConvBNReLU(*widths.double, 3, padding=1),
            ConvBNReLU(widths.double[1], widths.double[1], 3, stride=stride, padding=1),
        )
        self.out = widths.three[1] + widths.double[1]
        if widths.strides:
            self.out += into
        else:
            self.branch1x1 = ConvBNReLU(into, widths.single, 1)
            self.branch_pool = ConvBNReLU(into, widths.pool, 1)
            self.out += widths.single + widths.pool

    def forward(self, x: Tensor) -> Tensor:
        """Compute the unit."""
        return self.form.output(self, x)


class BNInception(nn.Module):
    """BN-Inception, without the auxiliary classifiers.

    Args:
        num_classes: outputs.
        in_channels: channels of the images.

    Shapes:
        x: (N, in_channels, H, W); returns logits (N, num_classes).
    Source: Ioffe and Szegedy 2015, arXiv:1502.03167, Fig. 5, in the widths and order of the authors' Caffe
        definition of SE-BN-Inception; convolutions have no biases there.
    """

    def __init__(self, *, num_classes: int, in_channels: int = 3) -> None:
        super().__init__()
        self.conv1 = ConvBNReLU(in_channels, 64, 7, stride=2, padding=3)
        self.conv2 = ConvBNReLU(64, 64, 1)
        self.conv3 = ConvBNReLU(64, 192, 3, padding=1)
        into = 192
        for name, widths in MODULES.items():
            module = InceptionModule(into, widths)
            self.add_module(f"inception_{name}", module)
            into = module.out
        self.fc = nn.Linear(into, num_classes)
        he_normal(self)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits."""
        x = halved(self.conv1(x))
        x = halved(self.conv3(self.conv2(x)))
        for name in MODULES:
            x = self.get_submodule(f"inception_{name}")(x)
        logits: Tensor = self.fc(x.mean(dim=(2, 3)))
        return logits
