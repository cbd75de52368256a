"""Every k-th position of a map, with a gradient that is laid out in memory as the map is."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class _Subsample(torch.autograd.Function):
    # PyTorch's gradient of a slice with a step is made as NCHW, and then copied to be added to a channels_last one

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, stride: int) -> Tensor:
        # a view of odd size is not taken for channels_last, and all that follows would then be NCHW
        return x[:, :, ::stride, ::stride].clone()

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, int], output: Tensor) -> None:
        x, ctx.stride = inputs
        ctx.shape = x.shape
        ctx.channels_last = x.is_contiguous(memory_format=torch.channels_last)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        batch, channels, height, width = ctx.shape
        if ctx.channels_last:
            wide = grad.new_zeros((batch, height, width, channels)).permute(0, 3, 1, 2)
        else:
            wide = grad.new_zeros(ctx.shape)
        wide[:, :, :: ctx.stride, :: ctx.stride] = grad
        return wide, None


def subsample(x: Tensor, stride: int) -> Tensor:
    """Keep every k-th row and column, from the first on.

    Shapes:
        x: (N, C, H, W); returns (N, C, ceil(H / stride), ceil(W / stride)).
    """
    if torch.compiler.is_compiling():
        return x[:, :, ::stride, ::stride].clone()
    kept: Tensor = _Subsample.apply(x, stride)
    return kept
