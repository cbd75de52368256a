"""Names of the ImageNet families; each network is in a file of its own, imported when it is built.

A name that torchvision has is torchvision's network. The suffix `-v1` marks the definitions of the Caffe
files that He et al. and the authors of the paper used: max pooling without padding (its size rounded up), and
in ResNets the stride in the first 1x1 convolution of a unit instead of its 3x3 one. State-dict names are the
same, multiply-adds are not: the paper's 3.86 G of ResNet-50 is `resnet50-v1`.
"""

from __future__ import annotations

from collections.abc import Mapping

from senet_core.backbones.catalog import BACKBONES, Place, lazy

STAGES: Mapping[int, Place] = {2: "layer1", 3: "layer2", 4: "layer3", 5: "layer4"}
STANDARD_ONLY = ("standard",)

_HE = "He et al. 2015, arXiv:1512.03385, Table 1"
for _depth in (18, 34, 50, 101, 152):
    BACKBONES.register(
        f"resnet{_depth}",
        source=f"{_HE}, as torchvision builds it",
        differs="stride in the 3x3 convolution" if _depth >= 50 else "",
        stages=STAGES,
    )(lazy("imagenet_resnet", "imagenet_resnet", f"resnet{_depth}"))
for _depth in (50, 101, 152):
    BACKBONES.register(
        f"resnet{_depth}-v1",
        source=f"{_HE}, and the Caffe definitions of SE-ResNet (github.com/hujie-frank/SENet)",
        stages=STAGES,
    )(lazy("imagenet_resnet", "caffe_resnet", f"resnet{_depth}"))

_XIE = "Xie et al. 2017, arXiv:1611.05431"
for _name in ("resnext50_32x4d", "resnext101_32x4d", "resnext101_32x8d", "resnext101_64x4d"):
    BACKBONES.register(
        _name,
        source=f"{_XIE}, of torchvision's blocks",
        differs="stride in the 3x3 convolution",
        stages=STAGES,
    )(lazy("imagenet_resnet", "imagenet_resnet", _name))
for _name in ("resnext50_32x4d", "resnext101_32x4d"):
    BACKBONES.register(
        f"{_name}-v1",
        source=f"{_XIE}, and the Caffe definitions of SE-ResNeXt (github.com/hujie-frank/SENet)",
        differs="stride in the 3x3 convolution, as in those definitions",
        stages=STAGES,
    )(lazy("imagenet_resnet", "caffe_resnet", _name))
for _name in ("wide_resnet50_2", "wide_resnet101_2"):
    BACKBONES.register(
        _name,
        source="Zagoruyko and Komodakis 2016, arXiv:1605.07146, as torchvision builds it",
        stages=STAGES,
    )(lazy("imagenet_resnet", "imagenet_resnet", _name))

BACKBONES.register(
    "senet154",
    source="arXiv:1709.01507, appendix, and the authors' Caffe definition",
    differs="a backbone like the others: SENet-154 itself is the variant with biases, se:bias=true",
    stages=STAGES,
)(lazy("senet154", "SENet154"))
BACKBONES.register(
    "vgg16_bn",
    source="Simonyan and Zisserman 2015, arXiv:1409.1556, with batch norm, as torchvision builds it",
    stages={
        1: ("features.2", "features.5"),
        2: ("features.9", "features.12"),
        3: ("features.16", "features.19", "features.22"),
        4: ("features.26", "features.29", "features.32"),
        5: ("features.36", "features.39", "features.42"),
    },
    integrations=STANDARD_ONLY,
)(lazy("vgg", "vgg16_bn"))
BACKBONES.register(
    "bn-inception",
    source="Ioffe and Szegedy 2015, arXiv:1502.03167, as in the authors' Caffe definition of SE-BN-Inception",
    stages={
        3: ("inception_3a", "inception_3b", "inception_3c"),
        4: ("inception_4a", "inception_4b", "inception_4c", "inception_4d", "inception_4e"),
        5: ("inception_5a", "inception_5b"),
    },
    integrations=STANDARD_ONLY,
)(lazy("bn_inception", "BNInception"))

_SZEGEDY = "Szegedy et al. 2016, arXiv:1602.07261"
BACKBONES.register(
    "inception-resnet-v2",
    source=f"{_SZEGEDY}, with the authors' released widths and 10, 20 and 10 blocks, as timm builds it",
    differs="13.2 G multiply-adds against the 11.75 G that the SE paper prints",
    stages={3: "repeat", 4: "repeat_1", 5: (*(f"repeat_2.{i}" for i in range(9)), "block8")},
    integrations=("standard", "pre", "post", "identity"),
    image_size=299,
)(lazy("inception_resnet_v2", "InceptionResNetV2", (10, 20, 10)))
BACKBONES.register(
    "inception-resnet-v2-5-20-5",
    source=f"{_SZEGEDY}, with 5, 20 and 5 blocks",
    differs="our reading of the 11.75 G multiply-adds that the SE paper prints; its authors do not say",
    stages={3: "repeat", 4: "repeat_1", 5: (*(f"repeat_2.{i}" for i in range(4)), "block8")},
    integrations=("standard", "pre", "post", "identity"),
    image_size=299,
)(lazy("inception_resnet_v2", "InceptionResNetV2", (5, 20, 5)))

BACKBONES.register(
    "mobilenet-v1",
    source="Howard et al. 2017, arXiv:1704.04861, Table 1, width 1.0",
    stages={
        1: ("features.1",),
        2: ("features.2", "features.3"),
        3: ("features.4", "features.5"),
        4: tuple(f"features.{i}" for i in range(6, 12)),
        5: ("features.12", "features.13"),
    },
    integrations=STANDARD_ONLY,
)(lazy("mobilenet_v1", "MobileNetV1"))
BACKBONES.register(
    "shufflenet-v1-g3",
    source="Zhang et al. 2017, arXiv:1707.01083, Table 1, width 1 with 3 groups",
    stages={2: "stage2", 3: "stage3", 4: "stage4"},
    integrations=STANDARD_ONLY,
)(lazy("shufflenet_v1", "ShuffleNetV1"))
