"""Whole blocks: what stands in a unit and is not made of squeeze, gate, excitation and fusion.

A block is a factory called as `build(channels, width=...)`, or a class, that makes a module from (N, C, H, W) to the
same shape. One that gates may have `weights(x)`, which returns its gates, (N, C, 1, 1) or (N, C, H, W): they can be
looked at.

Where a paper's equations and its authors' code differ, a block is what the equations say, and what they leave open is
as in the code; each class says what that is. A code that computes something else is a block of its own name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from senet_core.blocks.slots import BLOCKS

if TYPE_CHECKING:
    from torch import nn


@BLOCKS.register("se", parameters="2C²/r", source="arXiv:1709.01507, section 3")
def se_block(channels: int, *, width: int) -> nn.Module:
    """Build the paper's SE block; the other fields of a variant say what it is made of.

    Args:
        channels: channels of the map.
        width: units of the bottleneck, at least 1.
    Source: arXiv:1709.01507, equations 2 to 4.
    """
    from senet_core.blocks.block import SEBlock

    return SEBlock(channels, width=width)


@BLOCKS.register(
    "cbam",
    parameters="2C²/r + 100",
    source="arXiv:1807.06521, equations 1 to 3",
    differs="a batch norm follows the 7x7 convolution, as in the authors' code, where its statistics move by 0.01 a"
    " batch, here by torch's 0.1; that has biases in the MLP, the equations and this have none",
)
def cbam(channels: int, *, width: int) -> nn.Module:
    """Build gates of channels, followed by gates of positions; see `CBAM`."""
    from senet_core.blocks.whole.cbam import CBAM

    return CBAM(channels, width=width)


@BLOCKS.register(
    "bam",
    parameters="3C²/r + 18C²/r² + 2C + 5C/r + 2",
    source="arXiv:1807.06514, equations 1 to 4",
    differs="the equations name no function between the layers; these are the ReLUs of the authors' code, which"
    " multiplies where the equations add (bam-product)",
)
def bam(channels: int, *, width: int) -> nn.Module:
    """Build one plus the sigmoid of a sum of logits, for the end of a stage; see `BAM`."""
    from senet_core.blocks.whole.bam import BAM

    return BAM(channels, width=width)


@BLOCKS.register(
    "bam-product",
    parameters="3C²/r + 18C²/r² + C + 9C/r + 1",
    source="the code of arXiv:1807.06514, github.com/Jongchan/attention-module, MODELS/bam.py",
    differs="the paper adds the logits, and has a batch norm after the last layer of each branch (bam)",
)
def bam_product(channels: int, *, width: int) -> nn.Module:
    """Build one plus the sigmoid of a product of logits, for the end of a stage; see `BAMProduct`."""
    from senet_core.blocks.whole.bam import BAMProduct

    return BAMProduct(channels, width=width)


@BLOCKS.register(
    "scse",
    parameters="2C²/r + C",
    source="arXiv:1803.02579, section 2",
    differs="no biases, as in the equations; the authors' code has biases and takes the maximum (scse-max)",
)
def scse(channels: int, *, width: int) -> nn.Module:
    """Build the sum of an SE block and of a gate of positions; see `ScSE`."""
    from senet_core.blocks.whole.scse import ScSE

    return ScSE(channels, width=width, largest=False)


@BLOCKS.register(
    "scse-max",
    parameters="2C²/r + C",
    source="arXiv:1808.08127, section III (max-out)",
    differs="no biases; the first paper, arXiv:1803.02579, adds (scse)",
)
def scse_max(channels: int, *, width: int) -> nn.Module:
    """Build the maximum of an SE block and of a gate of positions; see `ScSE`."""
    from senet_core.blocks.whole.scse import ScSE

    return ScSE(channels, width=width, largest=True)


@BLOCKS.register(
    "coordinate",
    parameters="3C²/r + 2C + 2C/r",
    source="arXiv:2103.02907, equations 4 to 8",
    differs="the bottleneck is as wide as the reduction ratio says; that of the authors' code has at least 8 units",
)
def coordinate(channels: int, *, width: int) -> nn.Module:
    """Build gates of rows and gates of columns; see `CoordinateAttention`."""
    from senet_core.blocks.whole.coordinate import CoordinateAttention

    return CoordinateAttention(channels, width=width)


@BLOCKS.register(
    "triplet",
    parameters="300",
    source="arXiv:2010.03045, equations 1 to 3",
    differs="the batch norms' statistics move by 0.01 a batch in the authors' code, here by torch's 0.1",
)
def triplet(channels: int, *, width: int) -> nn.Module:
    """Build the mean of three gates, of each pair of dimensions; see `TripletAttention`."""
    from senet_core.blocks.whole.triplet import TripletAttention

    return TripletAttention(channels, width=width)


@BLOCKS.register(
    "ema",
    parameters="10C²/r² + 4C/r",
    source="arXiv:2305.13563, section 3.2 and Fig. 3",
    differs="the reduction ratio is the number of groups, which is 32 in the authors' code, for at least 32 channels",
)
def ema(channels: int, *, width: int) -> nn.Module:
    """Build gates of positions for each group of channels; see `MultiScaleAttention`."""
    from senet_core.blocks.whole.ema import MultiScaleAttention

    return MultiScaleAttention(channels, width=width)
