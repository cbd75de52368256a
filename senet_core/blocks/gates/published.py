"""Gate networks of later papers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from senet_core.blocks.slots import GATES

if TYPE_CHECKING:
    from torch import nn


@GATES.register(
    "eca",
    parameters="k",
    source="arXiv:1910.03151, equations 7 and 12",
    differs="k by equation 12 at every number of channels; the authors' networks have 3, or numbers set by hand",
)
def eca_gate(channels: int, *, width: int, bias: bool) -> nn.Module:
    """Build a convolution over neighbouring channels, zeros beyond the first and the last; see `Neighbours`."""
    from senet_core.blocks.gates.eca import Neighbours

    return Neighbours(channels, bias=bias, circular=False)


@GATES.register(
    "ceca", parameters="k", source="timm's CecaModule: arXiv:1910.03151, equation 7, with circular padding"
)
def circular_eca_gate(channels: int, *, width: int, bias: bool) -> nn.Module:
    """Build a convolution over neighbouring channels, the last being the first's neighbour; see `Neighbours`."""
    from senet_core.blocks.gates.eca import Neighbours

    return Neighbours(channels, bias=bias, circular=True)


@GATES.register(
    "lct4",
    parameters="C",
    source="arXiv:1909.03834, equations 4 to 6",
    differs="4 groups, of the paper's 64; b only with bias: true; w starts at 1 and b at 0, as of torch's group norm",
)
def lct_gate(channels: int, *, width: int, bias: bool) -> nn.Module:
    """Build LCT's normalisation in 4 groups, with a weight for each channel; see `LinearContext`."""
    from senet_core.blocks.gates.lct import LinearContext

    return LinearContext(channels, groups=4, bias=bias)


@GATES.register(
    "gct",
    parameters="2C",
    learns_at_once=False,
    source="arXiv:1909.11519, equations 2 to 4",
    differs="beta only with bias: true; without it, gamma starts at 0 as there",
)
def gated_channel_transformation(channels: int, *, width: int, bias: bool) -> nn.Module:
    """Build gamma s / rms(s) + beta of s = alpha z; see `GatedChannels`."""
    from senet_core.blocks.gates.gct import GatedChannels

    return GatedChannels(channels, bias=bias)


@GATES.register(
    "channel-norm",
    parameters="0",
    source="Ruan et al. 2021, Gaussian context transformer (CVPR), equations 4 and 5",
)
def channel_norm_gate(channels: int, *, width: int, bias: bool) -> nn.Module:
    """Build the normalisation over channels, which has no parameters; see `ChannelNorm`."""
    from senet_core.blocks.gates.layers import ChannelNorm

    return ChannelNorm()


@GATES.register(
    "srm",
    parameters="4C",
    descriptors=2,
    source="arXiv:1903.10829, equations 3 to 6 (style integration)",
    differs="weights start as torch's layers of two inputs do, not at 0 as in the authors' code",
)
def style_gate(channels: int, *, width: int, bias: bool) -> nn.Module:
    """Build a weighted sum of two descriptors in each channel, and a batch norm; see `Style`."""
    from senet_core.blocks.gates.srm import Style

    return Style(channels)


@GATES.register(
    "nam",
    parameters="2C",
    source="arXiv:2111.12419, equation 2 (channel attention)",
    differs="the gradient of the weights |gamma| / sum |gamma| is kept; the authors' code detaches gamma there",
)
def nam_gate(channels: int, *, width: int, bias: bool) -> nn.Module:
    """Build a batch norm whose channels are weighed by its own gamma; see `NormWeights`."""
    from senet_core.blocks.gates.nam import NormWeights

    return NormWeights(channels)


@GATES.register(
    "sse", parameters="C", source="arXiv:1803.02579, section 2.2 (spatial squeeze-and-excite, sSE)"
)
def spatial_gate(channels: int, *, width: int, bias: bool) -> nn.Module:
    """Build a 1x1 convolution to one logit, which all channels of a position share; see `Spatial`."""
    from senet_core.blocks.gates.layers import Spatial

    return Spatial(channels, bias=bias)


@GATES.register(
    "gc",
    parameters="2C²/r + 2C/r",
    source="arXiv:1904.11492, section 3.3 (bottleneck transform of a GC block)",
    differs="the last layer starts as torch's do; with gate_init: zeros-last it starts at 0, as in the authors' code",
)
def context_transform(channels: int, *, width: int, bias: bool) -> nn.Module:
    """Build a bottleneck with a layer norm before its ReLU; see `ContextTransform`."""
    from senet_core.blocks.gates.gc import ContextTransform

    return ContextTransform(channels, width=width, bias=bias)
