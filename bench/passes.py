"""Each fused pass against the plain code, forwards and backwards, in processor time of one thread."""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

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
    started = time.process_time()
    with fused_passes(fused):
        out = function()
    out.backward(upstream)
    return 1e3 * (time.process_time() - started)


def main() -> None:
    """Time and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
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
                "norm, ReLU": lambda: norm_relu(bn, x),  # noqa: B023
                "norm, addition, ReLU": lambda: norm_add_relu(bn, x, other),  # noqa: B023
                "norm, gates, addition, ReLU": lambda: gated(bn, x, other, se),  # noqa: B023
            }
            for name, function in cases.items():
                times = [
                    (spent(function, upstream, fused=False), spent(function, upstream, fused=True))
                    for _ in range(rounds + 2)
                ][2:]
                plain, fused = (statistics.median(column) for column in zip(*times, strict=True))
                ratio = statistics.median(p / f for p, f in times)
                print(
                    json.dumps(
                        {
                            "pass": name, "shape": shape, "type": str(kind).removeprefix("torch."),
                            "plain_ms": round(plain, 2), "fused_ms": round(fused, 2), "ratio": round(ratio, 2),
                        }
                    ),
                    flush=True,
                )  # fmt: skip


if __name__ == "__main__":
    main()
