"""The paper's gate network, and those near to it: what its parts are worth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from senet_core.blocks.slots import GATES

if TYPE_CHECKING:
    from torch import nn


@GATES.register(
    "bottleneck",
    parameters="2C²/r",
    source="arXiv:1709.01507, equation 3",
    differs="weights start as torch's linear layers do; the paper does not say how its own start",
)
def bottleneck_gate(channels: int, *, width: int, bias: bool) -> nn.Module:
    """Build two fully connected layers with a ReLU between them.

    Args:
        channels: descriptors in and logits out.
        width: units between the layers, at least 1.
        bias: whether the layers have biases. The paper's section 6 has none, its released models have them.
    Source: arXiv:1709.01507, equation 3.
    """
    from senet_core.blocks.gates.bottleneck import Bottleneck

    return Bottleneck(channels, width=width, bias=bias)


@GATES.register(
    "bottleneck-linear",
    parameters="2C²/r",
    source="ours: arXiv:1709.01507, equation 3 without the ReLU, for its section 3.2 (gates must be non-linear)",
)
def linear_bottleneck_gate(channels: int, *, width: int, bias: bool) -> nn.Module:
    """Build two fully connected layers with nothing between them: W2 W1 z.

    Args:
        channels: descriptors in and logits out.
        width: units between the layers, at least 1.
        bias: whether the layers have biases.
    """
    from senet_core.blocks.gates.bottleneck import Bottleneck

    return Bottleneck(channels, width=width, bias=bias, rectified=False)


@GATES.register(
    "grouped",
    parameters="C²/r",
    source="ours: arXiv:1709.01507, equation 3 with both layers in 2 groups, as arXiv:1611.05431 groups convolutions",
)
def grouped_gate(channels: int, *, width: int, bias: bool) -> nn.Module:
    """Build two bottlenecks, each for half of the channels with half of the width; see `Grouped`."""
    from senet_core.blocks.gates.grouped import Grouped

    return Grouped(channels, width=width, bias=bias)


@GATES.register("full", parameters="C²", source="arXiv:1911.06667, equation 2 (eSE)")
def full_gate(channels: int, *, width: int, bias: bool) -> nn.Module:
    """Build one fully connected layer of channels x channels; the width is not read.

    Args:
        channels: descriptors in and logits out.
        width: not read.
        bias: whether the layer has biases; that of eSE has.
    Source: Lee and Park 2020, arXiv:1911.06667, equation 2; with excitation `hard-sigmoid` it is eSE.
    """
    from senet_core.blocks.gates.layers import Full

    return Full(channels, channels, bias=bias)


@GATES.register(
    "identity", parameters="0", source="arXiv:1810.12348, section 3 (gather-excite without parameters)"
)
def identity_gate(channels: int, *, width: int, bias: bool) -> nn.Module:
    """Build nothing: descriptors are logits.

    Args:
        channels: not read.
        width: not read.
        bias: not read.
    Source: Hu et al. 2018, arXiv:1810.12348, section 3.
    """
    from torch import nn

    return nn.Identity()
