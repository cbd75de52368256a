"""Autograd functions over the compiled passes. With u = scale x + shift, the normalised map.

`norm_act`: relu(u) or u; `norm_add_act`: relu(u + other); `norm_gate_add_act`: relu(gates * u + other), where the
gates are computed from the mean of u over positions, so that u itself is never written to memory.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from senet_core.kernels.fused import passes
from senet_core.kernels.fused.passes import BY_INPUT, BY_OUTPUT, NO_MASK, Norm


def _like(grad: Tensor, x: Tensor) -> Tensor:
    """Return a gradient in the memory order and type of its map."""
    return grad.to(x.dtype).contiguous(memory_format=torch.channels_last)


class _NormAct(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, bn: nn.BatchNorm2d, relu: bool) -> Tensor:
        ctx.norm, ctx.relu = passes.normalise(x, bn), relu
        ctx.save_for_backward(x, weight)
        return passes.affine(x, ctx.norm.scale, ctx.norm.shift, relu=relu)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        mask = BY_INPUT if ctx.relu else NO_MASK
        return *passes.norm_gradient(_like(grad, x), x, ctx.norm, weight, mask=mask), None, None


class _NormAddAct(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, other: Tensor, bn: nn.BatchNorm2d
    ) -> Tensor:
        ctx.norm = passes.normalise(x, bn)
        out = passes.affine(x, ctx.norm.scale, ctx.norm.shift, other=other, relu=True)
        ctx.save_for_backward(x, weight, out)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, out = ctx.saved_tensors
        passed = torch.empty_like(x)
        made = passes.norm_gradient(
            _like(grad, x), x, ctx.norm, weight, mask=BY_OUTPUT, out=out, passed=passed
        )
        return *made, passed, None


@dataclass
class _Shared:
    """What the two halves of a gated unit share: statistics forwards, sums and gates backwards."""

    norm: Norm
    gates: Tensor
    ones: Tensor
    centred: Tensor


class _NormSqueeze(torch.autograd.Function):
    """First half: x and the mean of u over positions.

    What comes back as the gradient of `x` is not that: it is the masked gradient of the unit's output, which only
    `_GateAddAct` sends. The gradient through gates and batch norm is completed here, in one pass.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, bn: nn.BatchNorm2d, shared: list[_Shared]
    ) -> tuple[Tensor, Tensor]:
        norm = passes.normalise(x, bn)
        nothing = norm.means.new_empty(0)
        shared.append(_Shared(norm, nothing, nothing, nothing))
        ctx.shared = shared[0]
        ctx.save_for_backward(x, weight, bias)
        ctx.set_materialize_grads(False)
        squeezed = torch.addcmul(bias.double(), norm.means - norm.mean, weight.double() * norm.inverse)
        return x.view_as(x), squeezed.to(x.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, passed: Tensor, dsqueezed: Tensor | None) -> tuple[Tensor | None, ...]:
        x, weight, bias = ctx.saved_tensors
        shared: _Shared = ctx.shared
        norm, gates = shared.norm, shared.gates
        positions = x.shape[2] * x.shape[3]
        count = positions * len(x)
        dz = torch.zeros_like(gates) if dsqueezed is None else dsqueezed.double()
        scale = weight.double() * norm.inverse
        dbias = (gates * shared.ones + dz).sum(0)
        dweight = (gates * shared.centred + dz * (norm.means - norm.mean)).sum(0) * norm.inverse
        dx = passes.gradient(
            passed,
            x,
            norm,
            scale * gates,
            -scale * norm.inverse * dweight / count,
            scale * (dz / positions - dbias / count),
            mask=NO_MASK,
        )
        return dx, dweight.to(weight.dtype), dbias.to(bias.dtype), None, None


class _GateAddAct(torch.autograd.Function):
    """Second half: relu(gates * u + other)."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, gates: Tensor, other: Tensor, weight: Tensor, bias: Tensor, shared: _Shared
    ) -> Tensor:
        wide = gates.double()
        norm = shared.norm
        scale, shift = (wide * norm.scale).float(), (wide * norm.shift).float()
        out = passes.affine(x, scale, shift, other=other, relu=True)
        ctx.save_for_backward(x, gates, weight, bias, out)
        ctx.shared = shared
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, gates, weight, bias, out = ctx.saved_tensors
        shared: _Shared = ctx.shared
        passed = torch.empty_like(x)
        ones, centred = passes.sums(_like(grad, x), x, shared.norm, mask=BY_OUTPUT, out=out, passed=passed)
        shared.gates, shared.ones, shared.centred = gates.double(), ones, centred
        dgates = weight.double() * shared.norm.inverse * centred + bias.double() * ones
        return passed, dgates.to(gates.dtype), passed, None, None, None


def norm_act(bn: nn.BatchNorm2d, x: Tensor, *, relu: bool) -> Tensor:
    """Compute relu(bn(x)), or bn(x)."""
    out: Tensor = _NormAct.apply(x, bn.weight, bn.bias, bn, relu)
    return out


def norm_add_act(bn: nn.BatchNorm2d, x: Tensor, other: Tensor) -> Tensor:
    """Compute relu(bn(x) + other)."""
    out: Tensor = _NormAddAct.apply(x, bn.weight, bn.bias, other, bn)
    return out


def norm_gate_add_act(
    bn: nn.BatchNorm2d, x: Tensor, gate: Callable[[Tensor], Tensor], other: Tensor
) -> Tensor:
    """Compute relu(gate(mean of bn(x) over positions) * bn(x) + other); gate takes and returns (N, C)."""
    shared: list[_Shared] = []
    x, squeezed = _NormSqueeze.apply(x, bn.weight, bn.bias, bn, shared)
    gates = gate(squeezed).view_as(squeezed)
    out: Tensor = _GateAddAct.apply(x, gates, other, bn.weight.detach(), bn.bias.detach(), shared[0])
    return out
