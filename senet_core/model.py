"""Build a network from a backbone's name and a variant."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from senet_core.backbones import find_backbone
from senet_core.given import check_whole_number
from senet_core.insertion import insert_se
from senet_core.randomness import drawing_from
from senet_core.variants.text import VariantLike, variant_from
from senet_core.weights import load_weights


def build_model(
    backbone: str,
    variant: VariantLike = None,
    *,
    num_classes: int = 1000,
    in_channels: int = 3,
    seed: int | None = None,
    weights: str | Path | None = None,
) -> nn.Module:
    """Build a backbone with the SE blocks of a variant.

    With one seed, the plain network and every variant start from bit-identical backbone weights: the blocks
    are put into the finished backbone and start from streams of their own.

    Args:
        backbone: a known backbone ("resnet20", "resnet50").
        variant: a name ("eca"), text ("se:reduction=8"), fields or `SEVariant`; None for the plain network.
        num_classes: outputs, at least 1.
        in_channels: channels of the images, at least 1.
        seed: None draws the weights from torch's global generator.
        weights: where to start from: "imagenet" for torchvision's (version 1 of its recipe), from its hub; or
            a .pth or .safetensors file of a state dict, with the names of this package, of torchvision, or of
            timm's seresnet and legacy_seresnet networks. SE blocks that the file lacks altogether stay fresh.

    Raises:
        UserError: a name is unknown, a count is below 1, the backbone lacks a stage or the integration of the
            variant, or the weights cannot be read or are not of this network.
    """
    for name, value in (("num_classes", num_classes), ("in_channels", in_channels)):
        check_whole_number(name, value)
    found = find_backbone(backbone)
    variant = found.variant(variant_from(variant))
    with drawing_from(seed, "backbone"):
        model = found.build(num_classes=num_classes, in_channels=in_channels)
    model = insert_se(model, variant, stages=found.stages, seed=seed)
    if weights is not None:
        load_weights(model, weights, backbone=backbone)
    return model
