"""Each fused pass against the plain code, forwards and backwards, in processor time of one thread."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from bench.kernels.turns import in_turns, spent_ms
from bench.programs import program_parser, run_program, tell
from senet_core import SEBlock
from senet_core.kernel_hook import norm_add_relu, norm_relu
from senet_core.kernels.fused import fused_passes
from senet_core.kernels.fused.functions import norm_gate_add_act
from senet_core.kernels.fused.serving import serve

SHAPES = ((128, 16, 32, 32), (128, 32, 16, 16), (128, 64, 8, 8))


def gated(bn: nn.BatchNorm2d, x: Tensor, other: Tensor, se: SEBlock) -> Tensor:
    """Compute the ending of an SE unit."""
    if serve(bn, x, other):
        return norm_gate_add_act(bn, x, se.gates, other)
    return se.scale_add(bn(x), other).relu_()


def spent(function: Callable[[], Tensor], upstream: Tensor, *, fused: bool) -> float:
    """Return the milliseconds of a forward and a backward pass."""

    def forward() -> Tensor:
        with fused_passes(fused):
            return function()

    return spent_ms(forward, upstream)


def main() -> None:
    """Time and print a line of JSON for each pass, shape and type."""
    rounds = program_parser(__doc__, rounds=15).parse_args().rounds
    torch.set_num_threads(1)
    for kind in (torch.float32, torch.bfloat16):
        for shape in SHAPES:
            x, other, upstream = (
                torch.randn(shape).to(kind).contiguous(memory_format=torch.channels_last) for _ in range(3)
            )
            x.requires_grad_()
            other.requires_grad_()
            bn, se = nn.BatchNorm2d(shape[1]), SEBlock(shape[1], width=max(1, shape[1] // 16)).to(kind)
            cases: dict[str, Callable[[], Tensor]] = {
                "norm, ReLU": partial(norm_relu, bn, x),
                "norm, addition, ReLU": partial(norm_add_relu, bn, x, other),
                "norm, gates, addition, ReLU": partial(gated, bn, x, other, se),
            }
            for name, function in cases.items():
                ways = (partial(spent, function, upstream, fused=fused) for fused in (False, True))
                plain, fused, ratio = in_turns(rounds, *ways)
                told = {"pass": name, "shape": shape, "type": str(kind).removeprefix("torch.")}
                tell(**told, plain_ms=plain, fused_ms=fused, ratio=ratio)


if __name__ == "__main__":
    run_program(main)
