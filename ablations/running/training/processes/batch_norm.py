"""Batch norms whose statistics are those of the whole batch, of which each process has its share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.overrides import TorchFunctionMode


class SharedBatchNorm(TorchFunctionMode):
    """Let every batch norm that is in training take its statistics over all processes, whichever layer calls it.

    Layers stay as they are, and so do the names of the state dict. CUDA computes by torch's own function of its
    SyncBatchNorm; that has no form for a CPU, where `_OverProcesses` computes.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Replace a batch norm in training; everything else is computed as ever."""
        call = _batch_norm if func is F.batch_norm else func
        return call(*args, **(kwargs or {}))


def _batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Compute a batch norm; arguments as torch's functional form has them."""
    if not training:
        return F.batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)
    if not input.is_cuda:
        return _OverProcesses.apply(input, weight, bias, (running_mean, running_var), momentum, eps)  # type: ignore[no-any-return]
    from torch.nn.modules._functions import SyncBatchNorm

    group = dist.group.WORLD
    return SyncBatchNorm.apply(  # type: ignore[no-any-return]
        input, weight, bias, running_mean, running_var, eps, momentum, group, dist.get_world_size()
    )


class _OverProcesses(torch.autograd.Function):
    """Batch norm over the maps of all processes: one sum over the processes forwards, and one backwards.

    Sums are in float64, so that the order of processes and images does not matter to float32.

    Shapes:
        x: (N, C, ...), N and only N its own in each process; weight, bias: (C,) or None; returns the shape of x.
    Source: Ioffe and Szegedy 2015, arXiv:1502.03167, section 3, over a batch that is in several places.
    """

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor | None,
        bias: Tensor | None,
        running: tuple[Tensor | None, Tensor | None],
        momentum: float,
        eps: float,
    ) -> Tensor:
        wide, channels = x.double(), x.shape[1]
        places = x.numel() // channels
        sums = torch.empty(2 * channels + 1, dtype=torch.float64)
        sums[:channels] = wide.sum(_all_but_channels(x))
        sums[channels:-1] = wide.square().sum(_all_but_channels(x))
        sums[-1] = places
        dist.all_reduce(sums)
        count = sums[-1]
        mean = sums[:channels] / count
        variance = (sums[channels:-1] / count - mean.square()).clamp_min(0)
        for kept, now in zip(running, (mean, variance * (count / (count - 1))), strict=True):
            if kept is not None:
                kept.lerp_(now.to(kept.dtype), momentum)
        ctx.save_for_backward(x, weight, mean, (variance + eps).rsqrt(), count)
        ctx.of_bias = bias is not None
        like = torch.float32 if weight is None else weight.dtype
        return F.batch_norm(x, mean.to(like), variance.to(like), weight, bias, False, 0.0, eps)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, mean, inverse, count = ctx.saved_tensors
        wide, centred = grad.double(), x.double() - _along(mean, x)
        ones, products = (each.sum(_all_but_channels(x)) for each in (wide, wide * centred))
        # of these two, each process has its own images': they are averaged with those of all parameters
        dweight = None if weight is None else (products * inverse).to(weight.dtype)
        dbias = ones.to(torch.float32 if weight is None else weight.dtype) if ctx.of_bias else None
        both = torch.cat((ones, products))
        dist.all_reduce(both)
        ones, products = both.view(2, -1) / count
        scale = inverse if weight is None else weight.double() * inverse
        dx = wide - _along(ones, x) - centred * _along(products * inverse.square(), x)
        return (dx * _along(scale, x)).to(x.dtype), dweight, dbias, None, None, None


def _all_but_channels(x: Tensor) -> list[int]:
    return [0, *range(2, x.dim())]


def _along(values: Tensor, x: Tensor) -> Tensor:
    """Return a value for each channel, to be computed with a map.

    Shapes:
        values: (C,); returns (C, 1, ...), as many dimensions as a map has after its first.
    """
    return values.view(-1, *[1] * (x.dim() - 2))
