"""Squeezes that are built for a number of channels; their modules are imported when they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from senet_core.blocks.slots import SQUEEZES

if TYPE_CHECKING:
    from torch import nn


@SQUEEZES.register(
    "gem",
    parameters="1",
    factory=True,
    source="arXiv:1711.02512, equation 3",
    differs="values below 1e-6 count as 1e-6: maps before a ReLU have negative ones; one p for all channels",
)
def generalised_mean(channels: int) -> nn.Module:
    """Build the generalised mean with a learned exponent, which starts at 3; see `GeneralisedMean`."""
    from senet_core.blocks.squeezes.gem import GeneralisedMean

    return GeneralisedMean()


_GE_THETA = "arXiv:1810.12348, section 4.1 (gather-excite with parameters, theta)"
_GE_THETA_DIFFERS = "ReLU between the convolutions, as timm has it; the paper does not say"


@SQUEEZES.register("ge2-theta", parameters="11C", factory=True, source=_GE_THETA)
def learned_gather_2(channels: int) -> nn.Module:
    """Build one strided depthwise convolution; see `LearnedGather`."""
    from senet_core.blocks.squeezes.ge_theta import LearnedGather

    return LearnedGather(channels, halvings=1)


@SQUEEZES.register("ge4-theta", parameters="22C", factory=True, source=_GE_THETA, differs=_GE_THETA_DIFFERS)
def learned_gather_4(channels: int) -> nn.Module:
    """Build two strided depthwise convolutions; see `LearnedGather`."""
    from senet_core.blocks.squeezes.ge_theta import LearnedGather

    return LearnedGather(channels, halvings=2)


@SQUEEZES.register("ge8-theta", parameters="33C", factory=True, source=_GE_THETA, differs=_GE_THETA_DIFFERS)
def learned_gather_8(channels: int) -> nn.Module:
    """Build three strided depthwise convolutions; see `LearnedGather`."""
    from senet_core.blocks.squeezes.ge_theta import LearnedGather

    return LearnedGather(channels, halvings=3)


_FCA = "arXiv:2012.11879, equation 8, with the 7 x 7 frequencies of the authors' code"
_FCA_DIFFERS = (
    "computed at the map's own size, without the code's adaptive pooling, whose gradient differs between runs"
)


@SQUEEZES.register("fca-top16", parameters="0", factory=True, source=_FCA, differs=_FCA_DIFFERS)
def fca_top(channels: int) -> nn.Module:
    """Build FcaNet's squeeze of the 16 frequencies that do best alone (FcaNet-TS); see `FrequencySqueeze`."""
    from senet_core.blocks.squeezes.fca import TOP16, FrequencySqueeze

    return FrequencySqueeze(channels, name="fca-top16", frequencies=TOP16)


@SQUEEZES.register("fca-low16", parameters="0", factory=True, source=_FCA, differs=_FCA_DIFFERS)
def fca_low(channels: int) -> nn.Module:
    """Build FcaNet's squeeze of the 16 lowest frequencies (FcaNet-LF); see `FrequencySqueeze`."""
    from senet_core.blocks.squeezes.fca import LOW16, FrequencySqueeze

    return FrequencySqueeze(channels, name="fca-low16", frequencies=LOW16)


_SGE = "arXiv:1905.09646, equations 1 to 5"
_SGE_DIFFERS = "{} groups, of the paper's 64; the deviation is of H W positions as in equation 4, not H W - 1"


@SQUEEZES.register("sge4", parameters="8", factory=True, source=_SGE, differs=_SGE_DIFFERS.format(4))
def four_groups(channels: int) -> nn.Module:
    """Build SGE's logits for 4 groups of channels; see `GroupSimilarity`."""
    from senet_core.blocks.squeezes.sge import GroupSimilarity

    return GroupSimilarity(channels, groups=4)


@SQUEEZES.register("sge8", parameters="16", factory=True, source=_SGE, differs=_SGE_DIFFERS.format(8))
def eight_groups(channels: int) -> nn.Module:
    """Build SGE's logits for 8 groups of channels; see `GroupSimilarity`."""
    from senet_core.blocks.squeezes.sge import GroupSimilarity

    return GroupSimilarity(channels, groups=8)


@SQUEEZES.register(
    "context",
    parameters="C",
    factory=True,
    source="arXiv:1904.11492, equation 5 (context modelling)",
    differs="without the convolution's bias, which a softmax does not see",
)
def context(channels: int) -> nn.Module:
    """Build the softmax-weighted mean of GC blocks; see `ContextSqueeze`."""
    from senet_core.blocks.squeezes.context import ContextSqueeze

    return ContextSqueeze(channels)
