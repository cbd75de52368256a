"""Shake-Shake networks for CIFAR (Gastaldi 2017): two branches, mixed at random while training."""

from __future__ import annotations

from collections import OrderedDict

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from senet_core.backbones.layers import he_normal
from senet_core.units import Channels, Inside, Layers, ResidualForm, unit_form

STEM = 16


class Shake(nn.Module):
    """Mix two maps with random weights that add up to one, drawn for each image; evenly when not training.

    Args:
        backward: whether the gradient is mixed with weights of its own; else it is shared evenly.

    Attributes:
        generator: where the weights are drawn from; None is torch's global generator. `senet_core.randomness.
            draw_noise_from` sets it in a whole network. Plain and SE networks draw in the same order, so that
            with generators of one seed they see the same shakes.

    Shapes:
        a, b: (N, C, H, W); returns the same.
    Source: Gastaldi 2017, arXiv:1705.07485, section 2 ("Shake-Shake-Image", and "Shake-Even-Image").
    """

    def __init__(self, *, backward: bool) -> None:
        super().__init__()
        self.backward_too = backward
        self.generator: torch.Generator | None = None

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """Mix two maps."""
        if not self.training:
            return (a + b) * 0.5
        alpha = self._weights(a)
        beta = self._weights(a) if self.backward_too else torch.full_like(alpha, 0.5)
        # the value is alpha's mix; what is detached has no gradient, so that the gradient is beta's
        return torch.lerp(b, a, beta) + ((alpha - beta) * (a - b)).detach()

    def _weights(self, like: Tensor) -> Tensor:
        device = like.device if self.generator is None else self.generator.device
        drawn = torch.rand(len(like), 1, 1, 1, generator=self.generator, device=device)
        return drawn.to(device=like.device, dtype=like.dtype)


class ShiftedShortcut(nn.Module):
    """Two 1x1 convolutions, the second one pixel off, so that a stride of two loses nothing; then batch norm.

    Args:
        into: channels of the input.
        out: channels of the output, an even number.
        stride: over rows and columns.

    Shapes:
        x: (N, into, H, W), rectified; returns (N, out, ceil(H / stride), ceil(W / stride)).
    Source: Gastaldi 2017, arXiv:1705.07485, and his code.
    """

    def __init__(self, into: int, out: int, *, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(into, out // 2, 1, stride=stride, bias=False)
        self.conv2 = nn.Conv2d(into, out // 2, 1, stride=stride, bias=False)
        self.bn = nn.BatchNorm2d(out)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the layer."""
        shifted = F.pad(x, (1, -1, 1, -1))
        y: Tensor = self.bn(torch.cat((self.conv1(x), self.conv2(shifted)), dim=1))
        return y


@unit_form("senet_core.backbones.shake_shake.ShakeUnit")
class ShakeForm(ResidualForm):
    """Take the mix of both branches as f(x), which starts with a ReLU behind what `pre` gates; nothing follows it."""

    integrations = ("standard", "pre", "post", "identity")
    keeps = ("downsample",)

    def channels(self, block: Layers) -> Channels:
        """Return the channels by the first branch; there is no single map inside."""
        convolutions = [layer for layer in block.branch1 if isinstance(layer, nn.Conv2d)]
        return Channels(convolutions[0].in_channels, 0, convolutions[-1].out_channels)

    def branch(self, unit: Layers, x: Tensor, inside: Inside | None) -> Tensor:
        """Compute the mix of both branches, which start from one ReLU."""
        rectified = x.relu()
        y: Tensor = unit.shake(unit.branch1(rectified), unit.branch2(rectified))
        return y

    def shortcut(self, unit: Layers, x: Tensor) -> Tensor:
        """Compute s(x): x as it came, or the projection of the rectified x."""
        y: Tensor = x if unit.downsample is None else unit.downsample(x.relu())
        return y

    def finish(self, unit: Layers, y: Tensor) -> Tensor:
        """Return the sum as it is."""
        return y


class ShakeUnit(nn.Module):
    """Two branches of the same layers, mixed, and a shortcut around them.

    Args:
        into: channels of the input.
        out: channels of the output.
        stride: of the first 3x3 convolution of each branch.
        inner: channels of a grouped 3x3 convolution between two 1x1 ones; None for two 3x3 convolutions.
        groups: of that convolution.
        backward: whether the gradient is shaken too.

    Shapes:
        x: (N, into, H, W); returns (N, out, ceil(H / stride), ceil(W / stride)).
    Source: Gastaldi 2017, arXiv:1705.07485.
    """

    form = ShakeForm()

    def __init__(
        self, into: int, out: int, *, stride: int, inner: int | None, groups: int, backward: bool
    ) -> None:
        super().__init__()
        for name in ("branch1", "branch2"):
            layers = (
                _basic(into, out, stride) if inner is None else _grouped(into, inner, out, stride, groups)
            )
            self.add_module(name, nn.Sequential(layers))
        self.shake = Shake(backward=backward)
        self.downsample = None if into == out else ShiftedShortcut(into, out, stride=stride)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the unit."""
        return self.form.plain(self, x)


def _basic(into: int, out: int, stride: int) -> OrderedDict[str, nn.Module]:
    return OrderedDict(
        conv1=nn.Conv2d(into, out, 3, stride=stride, padding=1, bias=False),
        bn1=nn.BatchNorm2d(out),
        relu1=nn.ReLU(inplace=True),
        conv2=nn.Conv2d(out, out, 3, padding=1, bias=False),
        bn2=nn.BatchNorm2d(out),
    )


def _grouped(into: int, inner: int, out: int, stride: int, groups: int) -> OrderedDict[str, nn.Module]:
    return OrderedDict(
        conv1=nn.Conv2d(into, inner, 1, bias=False),
        bn1=nn.BatchNorm2d(inner),
        relu1=nn.ReLU(inplace=True),
        conv2=nn.Conv2d(inner, inner, 3, stride=stride, padding=1, groups=groups, bias=False),
        bn2=nn.BatchNorm2d(inner),
        relu2=nn.ReLU(inplace=True),
        conv3=nn.Conv2d(inner, out, 1, bias=False),
        bn3=nn.BatchNorm2d(out),
    )


class ShakeShake(nn.Module):
    """A Shake-Shake network: 6n+2 layers and width d ("26 2x96d"), or 9n+2 layers with groups ("29 2x4x64d").

    Args:
        depth: layers on one branch.
        groups: of the grouped convolutions; None for the 6n+2 kind.
        width: channels of the first stage's units; with groups, channels of each group there.
        backward: True for Shake-Shake, False for Shake-Even.
        num_classes: outputs.
        in_channels: channels of the images.

    Shapes:
        x: (N, in_channels, H, W); returns logits (N, num_classes).
    Source: Gastaldi 2017, arXiv:1705.07485. The stem has 16 channels, as in his code.
    """

    def __init__(
        self,
        depth: int,
        groups: int | None,
        width: int,
        backward: bool,
        *,
        num_classes: int,
        in_channels: int = 3,
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, STEM, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(STEM)
        units = (depth - 2) // (6 if groups is None else 9)
        into = STEM
        stages: list[nn.Module] = []
        for times in (1, 2, 4):
            out = times * (width if groups is None else 256)
            inner = None if groups is None else times * width * groups
            strides = [2 if stages else 1] + [1] * (units - 1)
            stage = nn.Sequential()
            for stride in strides:
                stage.append(
                    ShakeUnit(into, out, stride=stride, inner=inner, groups=groups or 1, backward=backward)
                )
                into = out
            stages.append(stage)
        self.layer1, self.layer2, self.layer3 = stages
        self.fc = nn.Linear(into, num_classes)
        he_normal(self)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits."""
        x = self.layer3(self.layer2(self.layer1(self.bn1(self.conv1(x)))))
        logits: Tensor = self.fc(x.relu().mean(dim=(2, 3)))
        return logits
