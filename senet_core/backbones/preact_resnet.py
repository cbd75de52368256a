"""Pre-activation ResNets (He et al. 2016) and wide ResNets (Zagoruyko and Komodakis 2016) for CIFAR.

Where a unit changes the number of channels, branch and shortcut share one pre-activation, as in both papers'
code. The SE block of the standard integration gates the branch just before the addition. That of `pre` gates what the
branch starts from: the shared pre-activation where there is one, else the raw sum, before batch norm and ReLU.

Weights are drawn by the size of a convolution's output (fan_out), in the CIFAR ResNets of `cifar_resnet` by its input.
"""

from __future__ import annotations

from torch import Tensor, nn

from senet_core.backbones.cifar_resnet import ZeroPadShortcut
from senet_core.backbones.layers import he_normal
from senet_core.kernel_hook import norm_relu
from senet_core.units import Channels, Inside, Layers, ResidualForm, unit_form

STEM = 16


def _shortcut(into: int, out: int, *, stride: int, project: bool) -> nn.Module | None:
    if into == out:
        return None
    if project:
        return nn.Conv2d(into, out, 1, stride=stride, bias=False)
    return ZeroPadShortcut(out - into, stride=stride)


class PreactForm(ResidualForm):
    """The common part of both forms: a shared pre-activation, and nothing after the addition."""

    def enter(self, unit: Layers, x: Tensor) -> Tensor:
        """Compute the pre-activation that branch and shortcut share where the channels change."""
        if unit.downsample is None:
            return x
        return norm_relu(unit.bn1, x)

    def preactivated(self, unit: Layers, x: Tensor) -> Tensor:
        """Compute the pre-activation, unless `enter` did."""
        return norm_relu(unit.bn1, x) if unit.downsample is None else x

    def finish(self, unit: Layers, y: Tensor) -> Tensor:
        """Return the sum as it is."""
        return y


@unit_form("senet_core.backbones.preact_resnet.PreactBasic")
class PreactBasicForm(PreactForm):
    """Gate inside after the first of the two convolutions."""

    keeps = ("downsample",)

    def channels(self, block: Layers) -> Channels:
        """Return the channels of the convolutions."""
        return Channels(block.conv1.in_channels, block.conv1.out_channels, block.conv2.out_channels)

    def branch(self, unit: Layers, x: Tensor, inside: Inside | None) -> Tensor:
        """Compute f(x)."""
        inner = norm_relu(unit.bn2, unit.conv1(self.preactivated(unit, x)))
        if inside is not None:
            inner = inside(inner)
        y: Tensor = unit.conv2(inner)
        return y


@unit_form("senet_core.backbones.preact_resnet.PreactBottleneck")
class PreactBottleneckForm(PreactForm):
    """Gate inside after the 3x3 convolution."""

    keeps = ("downsample",)

    def channels(self, block: Layers) -> Channels:
        """Return the channels of the convolutions."""
        return Channels(block.conv1.in_channels, block.conv2.out_channels, block.conv3.out_channels)

    def branch(self, unit: Layers, x: Tensor, inside: Inside | None) -> Tensor:
        """Compute f(x)."""
        inner = norm_relu(unit.bn2, unit.conv1(self.preactivated(unit, x)))
        inner = norm_relu(unit.bn3, unit.conv2(inner))
        if inside is not None:
            inner = inside(inner)
        y: Tensor = unit.conv3(inner)
        return y


class PreactBasic(nn.Module):
    """Batch norm, ReLU and a 3x3 convolution, twice, and a shortcut around them.

    Args:
        into: channels of the input.
        out: channels of both convolutions.
        stride: of the first convolution.
        project: whether the shortcut is a 1x1 convolution where the channels change; else adds zeros.

    Shapes:
        x: (N, into, H, W); returns (N, out, ceil(H / stride), ceil(W / stride)).
    Source: He et al. 2016, arXiv:1603.05027, Fig. 4e; Zagoruyko and Komodakis, arXiv:1605.07146, Fig. 1a.
    """

    form = PreactBasicForm()

    def __init__(self, into: int, out: int, *, stride: int, project: bool) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(into)
        self.conv1 = nn.Conv2d(into, out, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(out)
        self.conv2 = nn.Conv2d(out, out, 3, padding=1, bias=False)
        self.downsample = _shortcut(into, out, stride=stride, project=project)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the unit."""
        return self.form.plain(self, x)


class PreactBottleneck(nn.Module):
    """1x1, 3x3 and 1x1 convolutions, each after batch norm and ReLU, and a shortcut around them.

    Args:
        into: channels of the input.
        out: channels of the output; the inner convolutions have a quarter of them.
        stride: of the first convolution.
        project: whether the shortcut is a 1x1 convolution where the channels change; else adds zeros.

    Shapes:
        x: (N, into, H, W); returns (N, out, ceil(H / stride), ceil(W / stride)).
    Source: He et al. 2016, arXiv:1603.05027, appendix, and the authors' code.
    """

    form = PreactBottleneckForm()

    def __init__(self, into: int, out: int, *, stride: int, project: bool) -> None:
        super().__init__()
        inner = out // 4
        self.bn1 = nn.BatchNorm2d(into)
        self.conv1 = nn.Conv2d(into, inner, 1, stride=stride, bias=False)
        self.bn2 = nn.BatchNorm2d(inner)
        self.conv2 = nn.Conv2d(inner, inner, 3, padding=1, bias=False)
        self.bn3 = nn.BatchNorm2d(inner)
        self.conv3 = nn.Conv2d(inner, out, 1, bias=False)
        self.downsample = _shortcut(into, out, stride=stride, project=project)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the unit."""
        return self.form.plain(self, x)


class PreactResNet(nn.Module):
    """Three stages of pre-activation units behind one convolution, with a last batch norm and ReLU.

    Args:
        unit: the class of the units.
        units: in each stage.
        widths: channels that the units of each stage return.
        project: whether shortcuts are 1x1 convolutions where the channels change.
        num_classes: outputs.
        in_channels: channels of the images.

    Shapes:
        x: (N, in_channels, H, W); returns logits (N, num_classes).
    """

    def __init__(
        self,
        unit: type[PreactBasic] | type[PreactBottleneck],
        units: int,
        *,
        widths: tuple[int, int, int],
        project: bool,
        num_classes: int,
        in_channels: int = 3,
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, STEM, 3, padding=1, bias=False)
        stages: list[nn.Module] = []
        for into, out in zip((STEM, *widths), widths, strict=False):
            first = unit(into, out, stride=2 if stages else 1, project=project)
            rest = (unit(out, out, stride=1, project=project) for _ in range(units - 1))
            stages.append(nn.Sequential(first, *rest))
        self.layer1, self.layer2, self.layer3 = stages
        self.bn = nn.BatchNorm2d(widths[-1])
        self.fc = nn.Linear(widths[-1], num_classes)
        he_normal(self)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits."""
        x = self.layer3(self.layer2(self.layer1(self.conv1(x))))
        x = norm_relu(self.bn, x)
        logits: Tensor = self.fc(x.mean(dim=(2, 3)))
        return logits


def preact_resnet(depth: int, bottlenecks: bool, *, num_classes: int, in_channels: int = 3) -> PreactResNet:
    """Build a pre-activation ResNet: 6n+2 layers of basic units, or 9n+2 layers of bottlenecks.

    Args:
        depth: its layers.
        bottlenecks: whether the units are bottlenecks, with projections where the channels change.
        num_classes: outputs.
        in_channels: channels of the images.
    Source: He et al. 2016, arXiv:1603.05027; github.com/KaimingHe/resnet-1k-layers.
    """
    unit, layers = (PreactBottleneck, 9) if bottlenecks else (PreactBasic, 6)
    return PreactResNet(
        unit,
        (depth - 2) // layers,
        widths=(64, 128, 256) if bottlenecks else (16, 32, 64),
        project=bottlenecks,
        num_classes=num_classes,
        in_channels=in_channels,
    )


def wide_resnet(depth: int, factor: int, *, num_classes: int, in_channels: int = 3) -> PreactResNet:
    """Build WRN-depth-factor, without dropout.

    Args:
        depth: 6n+4 layers, the 1x1 convolutions of the shortcuts counted.
        factor: how many times the 16, 32 and 64 channels of a CIFAR ResNet.
        num_classes: outputs.
        in_channels: channels of the images.
    Source: Zagoruyko and Komodakis 2016, arXiv:1605.07146, Table 1.
    """
    return PreactResNet(
        PreactBasic,
        (depth - 4) // 6,
        widths=(16 * factor, 32 * factor, 64 * factor),
        project=True,
        num_classes=num_classes,
        in_channels=in_channels,
    )
