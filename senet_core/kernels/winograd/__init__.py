"""Winograd's convolutions: 3x3 convolutions with a quarter of the products, half with stride 2, on a CPU.

In float32. The library (`winograd.cpp`) is compiled at first use. What is computed is the convolution, with about twice
the rounding error of the usual way: a training repeats itself to the last bit, but not one that computes the other way.

In bf16 autocast, maps and weights are rounded to bfloat16, convolved in float32, and the outcome is rounded again, as
by a processor that computes in bfloat16, which adds its products up in float32. For one that has no such arithmetic.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor, nn

from senet_core.kernels.compiled import why_none
from senet_core.kernels.winograd import convolution

MOST_WEIGHTS = 256 * 256
"""Input times output channels: of larger kernels, the transformed ones do not stay in the caches."""

_CHANNELS = 16  # of which vectors of every processor are made
_KERNEL, _TILE = 9, 4  # positions of a kernel, side of a tile
_POINTS = {1: 36, 2: 81}  # products for a tile, by stride


@lru_cache(maxsize=1)
def why_not() -> str:
    """Return why these convolutions cannot be had on this machine, in one line; empty where they can."""
    return why_none(convolution.load)


def use_winograd(model: nn.Module) -> nn.Module:
    """Change every convolution of a network that these serve to compute by them; return the network.

    Weights, buffers, hooks and their names stay as they are.

    Raises:
        CannotCompile: when such a convolution is computed first, where `why_not` has a reason.
    """
    for module in model.modules():
        if _is_common(module):
            module.__class__ = WinogradConv2d
    return model


def without_winograd(model: nn.Module) -> nn.Module:
    """Undo `use_winograd`; return the network."""
    for module in model.modules():
        if type(module) is WinogradConv2d:
            module.__class__ = nn.Conv2d  # type: ignore[assignment]
    return model


def _is_common(module: nn.Module) -> bool:
    """Return whether a layer is a 3x3 convolution of stride 1 or 2 with one zero around the map, without a bias."""
    return (
        type(module) is nn.Conv2d
        and module.kernel_size == (3, 3)
        and module.stride in ((1, 1), (2, 2))
        and module.dilation == module.padding == (1, 1)
        and module.padding_mode == "zeros"
        and module.groups == 1
        and module.bias is None
        and module.in_channels % _CHANNELS == module.out_channels % _CHANNELS == 0
        and module.in_channels * module.out_channels <= MOST_WEIGHTS
    )


def saves_products(height: int, width: int, stride: int) -> bool:
    """Return whether whole tiles over a map of this size need at most two thirds of the products of the usual way."""
    rows, columns = -(-height // stride), -(-width // stride)
    tiles = -(-rows // _TILE) * -(-columns // _TILE)
    return 3 * _POINTS[stride] * tiles <= 2 * _KERNEL * rows * columns


class WinogradConv2d(nn.Conv2d):
    """A convolution computed by Winograd's algorithm where that serves, and as usual elsewhere.

    Made by `use_winograd`.

    Shapes:
        x: (N, C, H, W); returns (N, K, H / stride, W / stride), rounded up.
    Source: Lavin and Gray 2016, arXiv:1509.09308.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Compute the layer."""
        if not self._serves(x):
            return super().forward(x)
        if not torch.is_autocast_enabled("cpu"):
            return convolution.convolve(x, self.weight, self.stride[0])
        # the gradients are rounded on their way back through the same casts
        x, weight = (tensor.to(torch.bfloat16).float() for tensor in (x, self.weight))
        return convolution.convolve(x, weight, self.stride[0]).to(torch.bfloat16)

    def _serves(self, x: Tensor) -> bool:
        autocast = torch.is_autocast_enabled("cpu")
        return (
            not torch.compiler.is_compiling()
            and not (autocast and torch.get_autocast_dtype("cpu") is not torch.bfloat16)
            and x.dim() == 4
            and saves_products(x.shape[2], x.shape[3], self.stride[0])
            and _is_plain(self.weight, torch.float32)
            and _is_plain(x, torch.float32, *([torch.bfloat16] if autocast else []))
        )


def _is_plain(tensor: Tensor, *types: torch.dtype) -> bool:
    return (
        tensor.device.type == "cpu"
        and tensor.dtype in types
        and tensor.is_contiguous(memory_format=torch.channels_last)
    )
