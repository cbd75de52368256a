"""Winograd's convolutions against PyTorch's: processor time of one thread, and rounding errors against float64."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from bench.kernels.turns import in_turns, spent_ms
from bench.programs import program_parser, run_program, tell
from senet_core.kernels.winograd.convolution import convolve

SHAPES = (  # channels in and out, side of the map, stride, images
    (16, 16, 32, 1, 128),
    (32, 32, 16, 1, 128),
    (64, 64, 8, 1, 128),
    (16, 32, 32, 2, 128),
    (32, 64, 16, 2, 128),
    (64, 64, 56, 1, 16),
    (128, 128, 28, 1, 16),
    (256, 256, 14, 1, 16),
)

Convolution = Callable[[Tensor, Tensor], Tensor]


def errors(function: Convolution, inputs: list[Tensor], exact: list[Tensor]) -> list[str]:
    """Return the relative errors (of norms) of the output and of both gradients."""
    pairs = zip(outcome(function, *inputs), exact, strict=True)
    return [f"{float((found.double() - right).norm() / right.norm()):.1e}" for found, right in pairs]


def outcome(function: Convolution, x: Tensor, weight: Tensor, upstream: Tensor) -> list[Tensor]:
    """Return the output and both gradients."""
    x, weight = (value.detach().requires_grad_() for value in (x, weight))
    out = function(x, weight)
    return [out.detach(), *torch.autograd.grad(out, (x, weight), upstream)]


def main() -> None:
    """Time and print a line of JSON for each shape."""
    rounds = program_parser(__doc__, rounds=15).parse_args().rounds
    torch.set_num_threads(1)
    torch.manual_seed(0)
    for into, out, side, stride, images in SHAPES:
        small = -(-side // stride)
        shapes = (images, into, side, side), (out, into, 3, 3), (images, out, small, small)
        inputs = [torch.randn(shape).contiguous(memory_format=torch.channels_last) for shape in shapes]
        usual, ours = partial(F.conv2d, stride=stride, padding=1), partial(convolve, stride=stride)
        exact = outcome(usual, *(value.double() for value in inputs))
        rounding = [errors(way, inputs, exact) for way in (usual, ours)]
        x, weight, upstream = inputs
        fresh = x.requires_grad_(), weight.requires_grad_()
        ways = (partial(spent_ms, partial(way, x, weight), upstream, fresh) for way in (usual, ours))
        plain, winograd, ratio = in_turns(rounds, *ways)
        tell(
            channels=[into, out], side=side, stride=stride, images=images, usual_ms=plain, winograd_ms=winograd,
            ratio=ratio, usual_errors=rounding[0], winograd_errors=rounding[1],
        )  # fmt: skip


if __name__ == "__main__":
    run_program(main)
