"""MobileNet v1 (Howard et al. 2017). SE blocks weigh the output of each separable unit."""

from __future__ import annotations

from torch import Tensor, nn

from senet_core.backbones.layers import ConvBNReLU, he_normal
from senet_core.units import Channels, Layers, OutputForm, unit_form

STEM = 32
UNITS = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1))
"""Channels and stride of each separable unit."""


@unit_form("senet_core.backbones.mobilenet_v1.SeparableUnit")
class SeparableForm(OutputForm):
    """Gate after the ReLU of the pointwise convolution.

    The paper does not say where its SE-MobileNet has the blocks. This place gives the 4.7 M parameters of its
    Table 3; after the depthwise convolution they would be 4.6 M.
    """

    def channels(self, block: Layers) -> Channels:
        """Return the channels of the convolutions."""
        depthwise, pointwise = block.depthwise.conv, block.pointwise.conv
        return Channels(depthwise.in_channels, depthwise.out_channels, pointwise.out_channels)

    def output(self, unit: Layers, x: Tensor) -> Tensor:
        """Compute the unit."""
        y: Tensor = unit.pointwise(unit.depthwise(x))
        return y


class SeparableUnit(nn.Module):
    """A 3x3 convolution of each channel by itself, then a 1x1 one, each with batch norm and ReLU.

    Args:
        into: channels of the input.
        out: channels of the output.
        stride: of the first convolution.

    Shapes:
        x: (N, into, H, W); returns (N, out, ceil(H / stride), ceil(W / stride)).
    Source: Howard et al. 2017, arXiv:1704.04861, Fig. 3.
    """

    form = SeparableForm()

    def __init__(self, into: int, out: int, *, stride: int) -> None:
        super().__init__()
        self.depthwise = ConvBNReLU(into, into, 3, stride=stride, padding=1, groups=into)
        self.pointwise = ConvBNReLU(into, out, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the unit."""
        return self.form.output(self, x)


class MobileNetV1(nn.Module):
    """MobileNet v1 of width 1.

    Args:
        num_classes: outputs.
        in_channels: channels of the images.

    Shapes:
        x: (N, in_channels, H, W); returns logits (N, num_classes).
    Source: Howard et al. 2017, arXiv:1704.04861, Table 1.
    """

    def __init__(self, *, num_classes: int, in_channels: int = 3) -> None:
        super().__init__()
        self.features = nn.Sequential(ConvBNReLU(in_channels, STEM, 3, stride=2, padding=1))
        into = STEM
        for out, stride in UNITS:
            self.features.append(SeparableUnit(into, out, stride=stride))
            into = out
        self.fc = nn.Linear(into, num_classes)
        he_normal(self)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits."""
        logits: Tensor = self.fc(self.features(x).mean(dim=(2, 3)))
        return logits
