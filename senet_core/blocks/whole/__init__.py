"""Whole blocks: what stands in a unit and is not made of squeeze, gate, excitation and fusion.

A block is a factory called as `build(channels, width=...)`, or a class, that makes a module from (N, C, H, W) to the
same shape. One that gates may have `weights(x)`, which returns its gates, (N, C, 1, 1) or (N, C, H, W): they can be
looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from senet_core.blocks.slots import BLOCKS

if TYPE_CHECKING:
    from torch import nn


@BLOCKS.register("se", source="arXiv:1709.01507, section 3")
def se_block(channels: int, *, width: int) -> nn.Module:
    """Build the paper's SE block; the other fields of a variant say what it is made of.

    Args:
        channels: channels of the map.
        width: units of the bottleneck, at least 1.
    Source: arXiv:1709.01507, equations 2 to 4.
    """
    from senet_core.blocks.block import SEBlock

    return SEBlock(channels, width=width)
