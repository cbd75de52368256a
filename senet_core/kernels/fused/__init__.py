"""Fused passes: what stands between two convolutions, in as few passes over memory as its arithmetic needs.

For training on a CPU. Batch norm with ReLU, with an addition, and with gates and an addition are each one function
with a gradient of its own, in a small library that is compiled at first use (`compiled.py`). The code here decides
where they serve; everywhere else, and wherever `fused_passes` was not entered, the plain code runs, which is also what
the passes are tested against. Parameters, buffers and their names are the plain network's.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TypeGuard

import torch
from torch import Tensor, nn

_switch = threading.local()


@contextmanager
def fused_passes(enabled: bool = True) -> Iterator[None]:
    """Let networks that run inside, in this thread, use fused passes where they serve.

    Raises:
        CannotCompile: at the first pass, where `why_not` has a reason.
    """
    before = getattr(_switch, "on", False)
    _switch.on = enabled
    try:
        yield
    finally:
        _switch.on = before


@lru_cache(maxsize=1)
def why_not() -> str:
    """Return why fused passes cannot be had on this machine, in one line; empty where they can."""
    from senet_core.kernels.compiled import why_none
    from senet_core.kernels.fused.passes import load

    return why_none(load)


def serve(bn: nn.Module, *maps: Tensor) -> TypeGuard[nn.BatchNorm2d]:
    """Return whether a batch norm that is about to be applied can be fused with what follows."""
    if torch.compiler.is_compiling() or not getattr(_switch, "on", False):
        return False
    return _is_common(bn) and all(_is_common_map(x, maps[0]) for x in maps)


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


def fused_integration(name: str) -> Callable[..., Tensor] | None:
    """Return an integration of this name that fuses the unit's ending; None where fusing is off or there is none."""
    if torch.compiler.is_compiling() or not getattr(_switch, "on", False):
        return None
    from senet_core.kernels.fused.integrations import INTEGRATIONS

    return INTEGRATIONS.get(name)


def norm_relu(bn: nn.Module, x: Tensor) -> Tensor:
    """Compute relu(bn(x)), fused where it serves."""
    if serve(bn, x):
        from senet_core.kernels.fused.functions import norm_act

        return norm_act(bn, x, relu=True)
    y: Tensor = bn(x).relu_()
    return y


def norm_add_relu(bn: nn.Module, x: Tensor, other: Tensor) -> Tensor:
    """Compute relu(bn(x) + other), fused where it serves."""
    if serve(bn, x, other):
        from senet_core.kernels.fused.functions import norm_add_act

        return norm_add_act(bn, x, other)
    y: Tensor = (bn(x) + other).relu_()
    return y
