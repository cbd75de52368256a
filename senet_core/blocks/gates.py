"""Gate networks: what stands between the squeeze and the excitation.

A gate is a factory called as `build(channels, width=..., bias=...)` that returns a module taking descriptors
(N, C) or (N, C, H, W) to logits of the same shape. Where a squeeze gives k descriptors for each channel, (N, k, C), it
is applied to each of them and the logits are added; one registered with `descriptors=k` takes them all at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from senet_core.blocks.slots import GATES

if TYPE_CHECKING:
    from torch import nn


@GATES.register(
    "bottleneck",
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
    from senet_core.blocks.bottleneck import Bottleneck

    return Bottleneck(channels, width=width, bias=bias)
