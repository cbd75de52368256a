"""The paper's squeezes: average, maximum, none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from senet_core.blocks.slots import SQUEEZES

if TYPE_CHECKING:
    from torch import Tensor


@SQUEEZES.register("avg", source="arXiv:1709.01507, equation 2 and Table 11")
def average_squeeze(x: Tensor) -> Tensor:
    """Summarise each channel by its mean over positions.

    Shapes:
        x: (N, C, H, W); returns (N, C), in the units of x.
    Source: arXiv:1709.01507, equation 2.
    """
    if x.device.type == "cpu" and x.requires_grad:
        from senet_core.blocks.squeezes.dense_mean import dense_mean

        return dense_mean(x)
    # not adaptive_avg_pool2d: a plain mean has a deterministic gradient on CUDA
    return x.mean(dim=(2, 3))


@SQUEEZES.register("max", source="arXiv:1709.01507, Table 11")
def max_squeeze(x: Tensor) -> Tensor:
    """Summarise each channel by its maximum over positions; equal maxima share the gradient.

    Shapes:
        x: (N, C, H, W); returns (N, C), in the units of x.
    Source: arXiv:1709.01507, Table 11.
    """
    return x.amax(dim=(2, 3))


@SQUEEZES.register("none", source="arXiv:1709.01507, section 6.5 and Table 16 (NoSqueeze)")
def no_squeeze(x: Tensor) -> Tensor:
    """Return the map itself: the two layers of the gate become 1x1 convolutions of the same weights.

    Shapes:
        x: (N, C, H, W); returns the same.
    Source: arXiv:1709.01507, Table 16.
    """
    return x
