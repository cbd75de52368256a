"""The hook for fused kernels: what networks compute between two convolutions, by PyTorch or by a kernel.

The hook is empty at first and PyTorch computes. `senet_core/kernels` fills it for the time of a `with` block; the
networks do not import that folder, and work without it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class FusedPasses:
    """Kernels that compute a batch norm together with what follows it.

    Attributes:
        norm_relu: takes a batch norm and a map, and returns relu(bn(x)), or None where it does not serve.
        norm_add_relu: takes a batch norm and two maps, and returns relu(bn(x) + other), or None.
        integrations: by name, what `senet_core/integration.py` computes, for units whose branch ends in a batch norm.
    """

    norm_relu: Callable[[nn.Module, Tensor], Tensor | None]
    norm_add_relu: Callable[[nn.Module, Tensor, Tensor], Tensor | None]
    integrations: Mapping[str, Callable[[Any, Any, Tensor], Tensor]]


class _Hook(threading.local):
    passes: FusedPasses | None = None


_hook = _Hook()


@contextmanager
def computing_by(passes: FusedPasses | None) -> Iterator[None]:
    """Compute by these passes in networks that run inside the block in this thread; None is PyTorch alone."""
    before, _hook.passes = _hook.passes, passes
    try:
        yield
    finally:
        _hook.passes = before


def passes_in_use() -> FusedPasses | None:
    """Return this thread's passes; None where there are none, and while torch compiles."""
    return None if torch.compiler.is_compiling() else _hook.passes


def norm_relu(bn: nn.Module, x: Tensor) -> Tensor:
    """Compute relu(bn(x)).

    Shapes:
        x: (N, C, H, W); returns the same.
    """
    passes = passes_in_use()
    y = None if passes is None else passes.norm_relu(bn, x)
    return bn(x).relu_() if y is None else y


def norm_add_relu(bn: nn.Module, x: Tensor, other: Tensor) -> Tensor:
    """Compute relu(bn(x) + other).

    Shapes:
        x, other: (N, C, H, W); returns the same.
    """
    passes = passes_in_use()
    y = None if passes is None else passes.norm_add_relu(bn, x, other)
    return (bn(x) + other).relu_() if y is None else y
