"""Gate networks: what stands between the squeeze and the excitation.

A gate is a factory called as `build(channels, width=..., bias=...)` that returns a module taking descriptors
(N, C) or (N, C, H, W) to logits of the same shape.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from senet_core.blocks.slots import GATES

if TYPE_CHECKING:
    from torch import nn

_CHANNELS, _WIDTHS = 6, (2, 3)


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


@cache
def reads_width(build: Callable[..., Any]) -> bool:
    """Return whether a gate computes something else with another width: only then has it a bottleneck to speak of.

    Two are built, and compared with equal parameters. One that cannot be compared is taken to read its width.
    """
    import torch

    from senet_core.randomness import drawing_from

    try:
        with torch.device("cpu"), torch.no_grad(), drawing_from(0, "width"):
            one, other = (build(_CHANNELS, width=width, bias=True).eval() for width in _WIDTHS)
            other.load_state_dict(one.state_dict())
            descriptors = torch.randn(4, _CHANNELS)
            return not torch.equal(one(descriptors), other(descriptors))
    except Exception:  # of a plug-in; shapes that differ with the width are an error, too
        return True
