"""Forms of the ResNet blocks that others wrote: torchvision's and timm's, without importing either."""

from __future__ import annotations

from torch import Tensor

from senet_core.forms import Channels, Inside, Layers, ResidualForm, unit_form
from senet_core.kernel_hook import norm_relu


@unit_form("torchvision.models.resnet.BasicBlock", "senet_core.backbones.cifar_resnet.BasicUnit")
class BasicForm(ResidualForm):
    """Two 3x3 convolutions (He et al. 2015, arXiv:1512.03385, Fig. 5 left); `inside` is between them."""

    last_norm = "bn2"

    def channels(self, block: Layers) -> Channels:
        """Return the channels of the convolutions."""
        return Channels(block.conv1.in_channels, block.conv1.out_channels, block.conv2.out_channels)

    def unfinished(self, unit: Layers, x: Tensor, inside: Inside | None) -> Tensor:
        """Compute f(x) up to its last batch norm."""
        inner = norm_relu(unit.bn1, unit.conv1(x))
        if inside is not None:
            inner = inside(inner)
        y: Tensor = unit.conv2(inner)
        return y


@unit_form(
    "torchvision.models.resnet.Bottleneck",
    "senet_core.backbones.senet154.HalvedBottleneck",
)
class BottleneckForm(ResidualForm):
    """1x1, 3x3 and 1x1 convolutions (He et al. 2015, arXiv:1512.03385, Fig. 5 right)."""

    last_norm = "bn3"

    def channels(self, block: Layers) -> Channels:
        """Return the channels of the convolutions."""
        return Channels(block.conv1.in_channels, block.conv2.out_channels, block.conv3.out_channels)

    def unfinished(self, unit: Layers, x: Tensor, inside: Inside | None) -> Tensor:
        """Compute f(x) up to its last batch norm."""
        inner = norm_relu(unit.bn1, unit.conv1(x))
        inner = norm_relu(unit.bn2, unit.conv2(inner))
        if inside is not None:
            inner = inside(inner)
        y: Tensor = unit.conv3(inner)
        return y


class TimmForm(ResidualForm):
    """The common part of timm's two forms: stochastic depth, after the attention layer there, and any activation."""

    activation: str
    drops_itself = True

    def finish(self, unit: Layers, y: Tensor) -> Tensor:
        """Apply the last activation."""
        merged: Tensor = getattr(unit, self.activation)(y)
        return merged


@unit_form("timm.models.resnet.BasicBlock")
class TimmBasicForm(TimmForm):
    """timm's basic block: two 3x3 convolutions, with optional drop block and anti-aliasing."""

    activation = "act2"

    def channels(self, block: Layers) -> Channels:
        """Return the channels of the convolutions."""
        return Channels(block.conv1.in_channels, block.conv1.out_channels, block.conv2.out_channels)

    def branch(self, unit: Layers, x: Tensor, inside: Inside | None) -> Tensor:
        """Compute f(x)."""
        inner: Tensor = unit.act1(unit.drop_block(unit.bn1(unit.conv1(x))))
        inner = _passed(unit, "aa", inner)
        if inside is not None:
            inner = inside(inner)
        y: Tensor = unit.bn2(unit.conv2(inner))
        return y


@unit_form("timm.models.resnet.Bottleneck")
class TimmBottleneckForm(TimmForm):
    """timm's bottleneck: ResNets, ResNeXts and wide ResNets, with optional drop block and anti-aliasing."""

    activation = "act3"

    def channels(self, block: Layers) -> Channels:
        """Return the channels of the convolutions."""
        return Channels(block.conv1.in_channels, block.conv2.out_channels, block.conv3.out_channels)

    def branch(self, unit: Layers, x: Tensor, inside: Inside | None) -> Tensor:
        """Compute f(x)."""
        inner: Tensor = unit.act1(unit.bn1(unit.conv1(x)))
        inner = unit.act2(unit.drop_block(unit.bn2(unit.conv2(inner))))
        inner = _passed(unit, "aa", inner)
        if inside is not None:
            inner = inside(inner)
        y: Tensor = unit.bn3(unit.conv3(inner))
        return y


def _passed(unit: Layers, name: str, x: Tensor) -> Tensor:
    layer = unit._modules.get(name)
    y: Tensor = x if layer is None else layer(x)
    return y
