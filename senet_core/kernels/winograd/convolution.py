"""The autograd function over the compiled convolution, on maps (N, C, H, W) in channels_last."""

from __future__ import annotations

import ctypes
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from senet_core.kernels import compiled

SOURCE = Path(__file__).with_name("winograd.cpp")
SIGNATURES = {"winograd_forward": "ppplllllll", "winograd_backward": "ppppplllllll"}


@lru_cache(maxsize=1)
def load() -> ctypes.CDLL:
    """Return the compiled convolution.

    Raises:
        CannotCompile: it cannot be had here.
    """
    return compiled.load(SOURCE, SIGNATURES)


class _Convolution(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, stride: int) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.stride = stride
        height, width = (-(-size // stride) for size in x.shape[2:])
        shape = (len(x), len(weight), height, width)
        out = torch.empty(shape, dtype=x.dtype, device=x.device, memory_format=torch.channels_last)
        pointers = (tensor.data_ptr() for tensor in (x, weight, out))
        load().winograd_forward(*pointers, *_sizes(x, weight), stride, torch.get_num_threads())
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None]:
        x, weight = ctx.saved_tensors
        grad = grad.contiguous(memory_format=torch.channels_last)
        dx, dweight = torch.empty_like(x), torch.empty_like(weight)
        pointers = (tensor.data_ptr() for tensor in (grad, x, weight, dx, dweight))
        load().winograd_backward(*pointers, *_sizes(x, weight), ctx.stride, torch.get_num_threads())
        return dx, dweight, None


def _sizes(x: Tensor, weight: Tensor) -> tuple[int, ...]:
    batch, channels, height, width = x.shape
    return batch, height, width, channels, len(weight)


def convolve(x: Tensor, weight: Tensor, stride: int) -> Tensor:
    """Convolve with stride 1 or 2 and one zero around the map.

    Shapes:
        x: (N, C, H, W); weight: (K, C, 3, 3); both float32 in channels_last, C and K multiples of 16.
        Returns (N, K, H / stride, W / stride), rounded up.
    """
    out: Tensor = _Convolution.apply(x, weight, stride)
    return out
