"""ResNets, ResNeXts and wide ResNets for ImageNet: torchvision's own classes."""

from __future__ import annotations

from torch import nn
from torchvision.models import resnet  # type: ignore[import-untyped,unused-ignore]


def imagenet_resnet(name: str, *, num_classes: int, in_channels: int = 3) -> nn.Module:
    """Build torchvision's network of a name, or ResNeXt-101 (32x4d), which its class can build.

    Args:
        name: torchvision's name, such as "resnet50" or "wide_resnet50_2".
        num_classes: outputs.
        in_channels: channels of the images; where it is not 3, the first convolution is replaced.
    Source: torchvision; He et al. 2015, arXiv:1512.03385, Table 1; Xie et al. 2017, arXiv:1611.05431.
    """
    if name == "resnext101_32x4d":
        model: nn.Module = resnet.ResNet(
            resnet.Bottleneck, [3, 4, 23, 3], groups=32, width_per_group=4, num_classes=num_classes
        )
    else:
        model = getattr(resnet, name)(weights=None, num_classes=num_classes)
    if in_channels != 3:
        stem = nn.Conv2d(in_channels, 64, 7, stride=2, padding=3, bias=False)
        nn.init.kaiming_normal_(stem.weight, mode="fan_out", nonlinearity="relu")
        model.conv1 = stem
    return model


def caffe_resnet(name: str, *, num_classes: int, in_channels: int = 3) -> nn.Module:
    """Build a network as the Caffe definitions have it, with torchvision's weights and names.

    Max pooling has no padding and rounds its size up. In ResNets, a unit strides in its first 1x1
    convolution; in ResNeXts it strides in the 3x3 one, as everywhere.

    Args:
        name: torchvision's name of the network.
        num_classes: outputs.
        in_channels: channels of the images.
    Source: github.com/hujie-frank/SENet, models/; ResNets: github.com/KaimingHe/deep-residual-networks.
    """
    model = imagenet_resnet(name, num_classes=num_classes, in_channels=in_channels)
    model.maxpool = nn.MaxPool2d(3, stride=2, ceil_mode=True)
    for block in model.modules():
        if isinstance(block, resnet.Bottleneck) and block.conv2.groups == 1:
            block.conv1.stride, block.conv2.stride = block.conv2.stride, block.conv1.stride
    return model
