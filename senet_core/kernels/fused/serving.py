"""Where fused passes serve: batch norms in training, on maps in channels_last on a CPU."""

from __future__ import annotations

from typing import TypeGuard

import torch
from torch import Tensor, nn

from senet_core.kernel_hook import passes_in_use
from senet_core.kernels.fused import functions


def serve(bn: nn.Module, *maps: Tensor) -> TypeGuard[nn.BatchNorm2d]:
    """Return whether fused passes are in use and serve a batch norm that is about to be applied to these maps."""
    return passes_in_use() is not None and _is_common(bn) and all(_is_common_map(x, maps[0]) for x in maps)


def _is_common(bn: nn.Module) -> bool:
    """Return whether a layer is a batch norm in training, with weights and running statistics and no hooks."""
    return (
        type(bn) is nn.BatchNorm2d
        and bn.training
        and bn.affine
        and bn.track_running_stats
        and bn.momentum is not None
        and bn.weight.dtype is torch.float32
        and not (bn._forward_hooks or bn._forward_pre_hooks or bn._backward_hooks or bn._backward_pre_hooks)
    )


def _is_common_map(x: Tensor, like: Tensor) -> bool:
    return (
        x.device.type == "cpu"
        and x.dtype in (torch.float32, torch.bfloat16)
        and (x.dtype, x.shape) == (like.dtype, like.shape)
        and x.dim() == 4
        and x.shape[0] * x.shape[2] * x.shape[3] > 1  # of a single value there is no variance
        and x.is_contiguous(memory_format=torch.channels_last)
    )


def fused_norm_relu(bn: nn.Module, x: Tensor) -> Tensor | None:
    """Compute relu(bn(x)) in one pass; None where it does not serve."""
    return functions.norm_act(bn, x, relu=True) if serve(bn, x) else None


def fused_norm_add_relu(bn: nn.Module, x: Tensor, other: Tensor) -> Tensor | None:
    """Compute relu(bn(x) + other) in one pass; None where it does not serve."""
    return functions.norm_add_act(bn, x, other) if serve(bn, x, other) else None
