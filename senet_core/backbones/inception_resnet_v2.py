"""Inception-ResNet-v2 (Szegedy et al. 2016). SE blocks stand in its residual blocks A, B and C.

Layers are named as in timm, whose checkpoints load without a mapping.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from senet_core.backbones.layers import ConvBNReLU, he_normal
from senet_core.units import Channels, Inside, Layers, ResidualForm, unit_form

Conv = partial(ConvBNReLU, eps=1e-3)


@unit_form("senet_core.backbones.inception_resnet_v2.InceptionResidual")
class InceptionResidualForm(ResidualForm):
    """f(x) is the scaled output of the last 1x1 convolution: what is added to the shortcut."""

    integrations = ("standard", "pre", "post", "identity")
    keeps = ("scale", "rectify")

    def channels(self, block: Layers) -> Channels:
        """Return the channels by the last convolution; there is no single 3x3 convolution."""
        return Channels(block.conv2d.out_channels, 0, block.conv2d.out_channels)

    def branch(self, unit: Layers, x: Tensor, inside: Inside | None) -> Tensor:
        """Compute f(x)."""
        branches = (unit._modules.get(f"branch{i}") for i in range(3))
        y: Tensor = unit.conv2d(torch.cat([branch(x) for branch in branches if branch is not None], dim=1))
        scale: float = unit.scale
        return y * scale

    def finish(self, unit: Layers, y: Tensor) -> Tensor:
        """Apply the ReLU, except in the last block of the network."""
        return y.relu_() if unit.rectify else y


class InceptionResidual(nn.Module):
    """Branches side by side, a 1x1 convolution over them, scaled down and added to the input.

    Args:
        channels: of the input and the output.
        branches: two or three branches.
        inner: channels of the branches together.
        scale: factor of the residual branch, dimensionless.
        rectify: whether a ReLU follows the addition.

    Shapes:
        x: (N, channels, H, W); returns the same.
    Source: Szegedy et al. 2016, arXiv:1602.07261, Fig. 16, 17 and 19, section 3.3 for the scale.
    """

    form = InceptionResidualForm()

    def __init__(
        self, channels: int, *branches: nn.Module, inner: int, scale: float, rectify: bool = True
    ) -> None:
        super().__init__()
        self.scale, self.rectify = scale, rectify
        for index, branch in enumerate(branches):
            self.add_module(f"branch{index}", branch)
        self.conv2d = nn.Conv2d(inner, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the unit."""
        return self.form.plain(self, x)


class Branches(nn.Module):
    """Branches side by side, concatenated.

    Args:
        branches: each takes the input.

    Shapes:
        x: (N, C, H, W); returns (N, the branches' channels together, ...).
    """

    def __init__(self, *branches: nn.Module) -> None:
        super().__init__()
        for index, branch in enumerate(branches):
            self.add_module(f"branch{index}", branch)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the layer."""
        return torch.cat([branch(x) for branch in self.children()], dim=1)


def block_a() -> InceptionResidual:
    """Build a block at 35x35, 320 channels (Fig. 16)."""
    return InceptionResidual(
        320,
        Conv(320, 32, 1),
        nn.Sequential(Conv(320, 32, 1), Conv(32, 32, 3, padding=1)),
        nn.Sequential(Conv(320, 32, 1), Conv(32, 48, 3, padding=1), Conv(48, 64, 3, padding=1)),
        inner=128,
        scale=0.17,
    )


def block_b() -> InceptionResidual:
    """Build a block at 17x17, 1088 channels (Fig. 17)."""
    return InceptionResidual(
        1088,
        Conv(1088, 192, 1),
        nn.Sequential(
            Conv(1088, 128, 1), Conv(128, 160, (1, 7), padding=(0, 3)), Conv(160, 192, (7, 1), padding=(3, 0))
        ),
        inner=384,
        scale=0.10,
    )


def block_c(*, last: bool = False) -> InceptionResidual:
    """Build a block at 8x8, 2080 channels (Fig. 19). The last one is not scaled and has no ReLU."""
    return InceptionResidual(
        2080,
        Conv(2080, 192, 1),
        nn.Sequential(
            Conv(2080, 192, 1), Conv(192, 224, (1, 3), padding=(0, 1)), Conv(224, 256, (3, 1), padding=(1, 0))
        ),
        inner=448,
        scale=1.0 if last else 0.20,
        rectify=not last,
    )


class InceptionResNetV2(nn.Module):
    """Inception-ResNet-v2 in the widths that its authors released, which differ a little from their figures.

    Args:
        repeats: blocks A, B and C.
        num_classes: outputs.
        in_channels: channels of the images.

    Shapes:
        x: (N, in_channels, H, W), H and W at least 75; returns logits (N, num_classes).
    Source: Szegedy et al. 2016, arXiv:1602.07261, and its authors' released definition.
    """

    def __init__(self, repeats: tuple[int, int, int], *, num_classes: int, in_channels: int = 3) -> None:
        super().__init__()
        a, b, c = repeats
        self.conv2d_1a = Conv(in_channels, 32, 3, stride=2)
        self.conv2d_2a = Conv(32, 32, 3)
        self.conv2d_2b = Conv(32, 64, 3, padding=1)
        self.maxpool_3a = nn.MaxPool2d(3, stride=2)
        self.conv2d_3b = Conv(64, 80, 1)
        self.conv2d_4a = Conv(80, 192, 3)
        self.maxpool_5a = nn.MaxPool2d(3, stride=2)
        self.mixed_5b = _mixed_5b()
        self.repeat = _repeated(block_a, a)
        self.mixed_6a = _mixed_6a()
        self.repeat_1 = _repeated(block_b, b)
        self.mixed_7a = _mixed_7a()
        self.repeat_2 = _repeated(block_c, c - 1)
        self.block8 = block_c(last=True)
        self.conv2d_7b = Conv(2080, 1536, 1)
        self.classif = nn.Linear(1536, num_classes)
        he_normal(self)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits."""
        for layer in list(self.children())[:-1]:
            x = layer(x)
        logits: Tensor = self.classif(x.mean(dim=(2, 3)))
        return logits


def _repeated(block: Callable[[], nn.Module], times: int) -> nn.Sequential:
    return nn.Sequential(*(block() for _ in range(times)))


def _mixed_5b() -> Branches:
    return Branches(
        Conv(192, 96, 1),
        nn.Sequential(Conv(192, 48, 1), Conv(48, 64, 5, padding=2)),
        nn.Sequential(Conv(192, 64, 1), Conv(64, 96, 3, padding=1), Conv(96, 96, 3, padding=1)),
        nn.Sequential(nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False), Conv(192, 64, 1)),
    )


def _mixed_6a() -> Branches:
    return Branches(
        Conv(320, 384, 3, stride=2),
        nn.Sequential(Conv(320, 256, 1), Conv(256, 256, 3, padding=1), Conv(256, 384, 3, stride=2)),
        nn.MaxPool2d(3, stride=2),
    )


def _mixed_7a() -> Branches:
    return Branches(
        nn.Sequential(Conv(1088, 256, 1), Conv(256, 384, 3, stride=2)),
        nn.Sequential(Conv(1088, 256, 1), Conv(256, 288, 3, stride=2)),
        nn.Sequential(Conv(1088, 256, 1), Conv(256, 288, 3, padding=1), Conv(288, 320, 3, stride=2)),
        nn.MaxPool2d(3, stride=2),
    )
