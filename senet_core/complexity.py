"""What a network costs: parameters and multiply-adds."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from senet_core.backbones import find_backbone
from senet_core.insertion import bottleneck_widths
from senet_core.model import build_model
from senet_core.variant import SEVariant


@dataclass(frozen=True)
class Complexity:
    """The cost of one network.

    Attributes:
        parameters: learnable parameters; batch-norm running statistics are not counted.
        multiply_adds: multiply-adds of one forward pass of one image, in convolutions and matrix products
            (torch's flop counter, halved). The paper's GFLOPs are multiply-adds in this sense.
        bottleneck_widths: bottleneck units of every SE block, by stage; empty for a plain network.
    """

    parameters: int
    multiply_adds: int
    bottleneck_widths: dict[int, tuple[int, ...]]


def count_parameters(model: nn.Module) -> int:
    """Count learnable parameters."""
    return sum(parameter.numel() for parameter in model.parameters())


def measure_complexity(
    backbone: str,
    variant: SEVariant | None = None,
    *,
    image_shape: tuple[int, int, int] = (3, 224, 224),
    num_classes: int = 1000,
) -> Complexity:
    """Count parameters and multiply-adds of a network without computing or allocating anything.

    Args:
        backbone: a known backbone.
        variant: None for the plain network.
        image_shape: (C, H, W) in pixels.
        num_classes: outputs.

    Raises:
        UserError: a name is unknown.
    """
    with torch.device("meta"), torch.no_grad():
        model = build_model(backbone, variant, num_classes=num_classes, in_channels=image_shape[0]).eval()
        counter = FlopCounterMode(display=False)
        with counter:
            model(torch.empty(1, *image_shape))
    widths = bottleneck_widths(model, find_backbone(backbone).stages)
    return Complexity(count_parameters(model), counter.get_total_flops() // 2, widths)
