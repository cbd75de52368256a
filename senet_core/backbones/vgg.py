"""VGG-16 with batch norm: torchvision's own network. SE blocks follow the ReLU of each convolution."""

from __future__ import annotations

from torch import Tensor, nn
from torchvision.models import vgg  # type: ignore[import-untyped,unused-ignore]

from senet_core.units import Channels, Layers, OutputForm, unit_form


class Activation(nn.ReLU):
    """The ReLU after a convolution, which knows how many channels it has.

    Args:
        channels: of the map.

    Shapes:
        x: (N, channels, H, W), which it overwrites; returns the same.
    """

    def __init__(self, channels: int) -> None:
        super().__init__(inplace=True)
        self.channels = channels


@unit_form("senet_core.backbones.vgg.Activation")
class ActivationForm(OutputForm):
    """Gate after the ReLU, which is the unit itself."""

    def channels(self, block: Layers) -> Channels:
        """Return the channels of the map, the same before and after."""
        return Channels(block.channels, block.channels, block.channels)

    def output(self, unit: Layers, x: Tensor) -> Tensor:
        """Apply the ReLU."""
        return x.relu_()


def vgg16_bn(*, num_classes: int, in_channels: int = 3) -> nn.Module:
    """Build torchvision's VGG-16 with batch norm.

    Args:
        num_classes: outputs.
        in_channels: channels of the images; where it is not 3, the first convolution is replaced.
    Source: torchvision; Simonyan and Zisserman 2015, arXiv:1409.1556, Table 1, column D.
    """
    model: nn.Module = vgg.vgg16_bn(weights=None, num_classes=num_classes)
    features = model.get_submodule("features")
    if in_channels != 3:
        stem = nn.Conv2d(in_channels, 64, 3, padding=1)
        nn.init.kaiming_normal_(stem.weight, mode="fan_out", nonlinearity="relu")
        nn.init.zeros_(stem.bias)  # type: ignore[arg-type]
        features._modules["0"] = stem
    channels = 0
    for name, layer in features.named_children():
        if isinstance(layer, nn.Conv2d):
            channels = layer.out_channels
        elif isinstance(layer, nn.ReLU):
            features._modules[name] = Activation(channels)
    return model
