"""Winograd's convolutions against PyTorch's: processor time of one thread, and rounding errors against float64."""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

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


def spent(function: Convolution, x: Tensor, weight: Tensor, upstream: Tensor) -> float:
    """Return the milliseconds of a forward and a backward pass."""
    x.grad = weight.grad = None
    started = time.process_time()
    function(x, weight).backward(upstream)
    return 1e3 * (time.process_time() - started)


def errors(
    function: Convolution, x: Tensor, weight: Tensor, upstream: Tensor, exact: list[Tensor]
) -> list[float]:
    """Return the relative errors (of norms) of the output and of both gradients."""
    return [
        float((found.double() - right).norm() / right.norm())
        for found, right in zip(outcome(function, x, weight, upstream), exact, strict=True)
    ]


def outcome(function: Convolution, x: Tensor, weight: Tensor, upstream: Tensor) -> list[Tensor]:
    """Return the output and both gradients."""
    x, weight = (value.detach().requires_grad_() for value in (x, weight))
    out = function(x, weight)
    out.backward(upstream)
    assert x.grad is not None
    assert weight.grad is not None
    return [out.detach(), x.grad, weight.grad]


def main() -> None:
    """Time and print a line of JSON for each shape."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    torch.manual_seed(0)
    for into, out, side, stride, images in SHAPES:
        small = -(-side // stride)
        x, weight, upstream = (
            torch.randn(shape).contiguous(memory_format=torch.channels_last)
            for shape in ((images, into, side, side), (out, into, 3, 3), (images, out, small, small))
        )

        def usual(x: Tensor, weight: Tensor, stride: int = stride) -> Tensor:
            return F.conv2d(x, weight, stride=stride, padding=1)

        def ours(x: Tensor, weight: Tensor, stride: int = stride) -> Tensor:
            return convolve(x, weight, stride)

        exact = outcome(usual, x.double(), weight.double(), upstream.double())
        rounding = [errors(f, x, weight, upstream, exact) for f in (usual, ours)]
        x.requires_grad_()
        weight.requires_grad_()
        times = [
            (spent(usual, x, weight, upstream), spent(ours, x, weight, upstream)) for _ in range(rounds + 2)
        ][2:]
        plain, winograd = (statistics.median(column) for column in zip(*times, strict=True))
        print(
            json.dumps(
                {
                    "channels": [into, out], "side": side, "stride": stride, "images": images,
                    "usual_ms": round(plain, 2), "winograd_ms": round(winograd, 2),
                    "ratio": round(statistics.median(p / w for p, w in times), 2),
                    "usual_errors": [f"{error:.1e}" for error in rounding[0]],
                    "winograd_errors": [f"{error:.1e}" for error in rounding[1]],
                }
            ),
            flush=True,
        )  # fmt: skip


if __name__ == "__main__":
    main()
