"""The mean over positions, with a gradient that is laid out in memory as the map is."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class _DenseMean(torch.autograd.Function):
    # PyTorch's gradient of a mean is an expanded view, which is slow to add to a channels_last map: a product with
    # the mean's gates, forwards and backwards, takes 12.1 ms for 128 x 16 x 32 x 32 in bfloat16, and 6.0 with this one

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor) -> Tensor:
        return x.mean(dim=(2, 3))

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: Tensor) -> None:
        (x,) = inputs
        ctx.shape = x.shape
        ctx.channels_last = x.is_contiguous(memory_format=torch.channels_last)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        batch, channels, height, width = ctx.shape
        share = grad / (height * width)
        if not ctx.channels_last:
            plain: Tensor = share[:, :, None, None].expand(ctx.shape).contiguous()
            return plain
        dense: Tensor = share[:, None, None, :].expand(batch, height, width, channels).contiguous()
        return dense.permute(0, 3, 1, 2)


def dense_mean(x: Tensor) -> Tensor:
    """Return the mean over positions of (N, C, H, W), as (N, C); compilers see a plain mean."""
    if torch.compiler.is_compiling():
        return x.mean(dim=(2, 3))
    mean: Tensor = _DenseMean.apply(x)
    return mean
