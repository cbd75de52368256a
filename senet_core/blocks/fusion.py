"""Fusion: how the gates meet the map.

A fusion is a function of a map and of its gates, which broadcast to the map's shape.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from senet_core.blocks.slots import FUSIONS

if TYPE_CHECKING:
    from torch import Tensor


@FUSIONS.register("scale", source="arXiv:1709.01507, equation 4")
def scale(x: Tensor, gates: Tensor) -> Tensor:
    """Multiply: g x.

    Shapes:
        x: (N, C, H, W); gates: (N, C, 1, 1) or (N, C, H, W); returns the shape of x.
    Source: arXiv:1709.01507, equation 4.
    """
    return x * gates


@FUSIONS.register("add", source="arXiv:1904.11492, section 3.3 (GC block: broadcast element-wise addition)")
def add(x: Tensor, gates: Tensor) -> Tensor:
    """Add: x + g. Take an excitation that is not bounded, such as `linear`, for a GC block.

    Shapes:
        x: (N, C, H, W); gates: (N, C, 1, 1) or (N, C, H, W); returns the shape of x.
    Source: Cao et al. 2019, arXiv:1904.11492, section 3.3.
    """
    return x + gates


@FUSIONS.register(
    "one-plus-scale", source="arXiv:1704.06904, equation 3 (residual attention); BAM has it, too"
)
def one_plus_scale(x: Tensor, gates: Tensor) -> Tensor:
    """Scale by one more than the gates, so that a gate of 0 leaves the map as it is: (1 + g) x.

    Shapes:
        x: (N, C, H, W); gates: (N, C, 1, 1) or (N, C, H, W); returns the shape of x.
    Source: Wang et al. 2017, arXiv:1704.06904, equation 3.
    """
    return x * (1 + gates)
