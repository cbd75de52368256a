"""Where a training step of SE-ResNet-20 spends its time, and which share of the products' own limit it reaches.

One thread, from PyTorch's profiler. The limit is the time that the step's products alone would take at the speed of
PyTorch's matrix product, measured before and after: with as many products as are really computed, which are fewer by
Winograd's way, and with those of the usual way.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from statistics import mean, median
from typing import Any

import torch
from torch import nn
from torch.profiler import profile

from ablations.running.training.trainer import Trainer
from bench.our_training import cifar_quick, images, prepare
from bench.programs import program_parser, run_program, tell
from senet_core.kernels.winograd import WinogradConv2d

PASSES = ("_NormAct", "_NormAddAct", "_NormSqueeze", "_GateAddAct")
KINDS = {
    "_Convolution": "Winograd's convolutions, forwards",
    "_ConvolutionBackward": "Winograd's convolutions, backwards",
    "aten::mkldnn_convolution": "other convolutions",
    "aten::convolution_backward": "other convolutions",
    "aten::add_": "sums of gradients, weights",
    "Optimizer.step#SGD.step": "sums of gradients, weights",
    **{name + end: "fused passes" for name in PASSES for end in ("", "Backward")},
}
SHARES = {1: 36 / 144, 2: 81 / 144}  # of the products, by stride


def multiply_adds(trainer: Trainer, batch: int) -> tuple[float, float]:
    """Return the multiply-adds of a step's convolutions, forwards and backwards: as computed, and the usual way's."""
    counted = [0.0, 0.0]

    def count(module: nn.Module, args: tuple[Any, ...], out: torch.Tensor) -> None:
        assert isinstance(module, nn.Conv2d)
        usual = out.numel() * module.weight[0].numel() * (3 if args[0].requires_grad else 2)
        counted[0] += usual * (SHARES[module.stride[0]] if isinstance(module, WinogradConv2d) else 1)
        counted[1] += usual

    hooks = [m.register_forward_hook(count) for m in trainer.model.modules() if isinstance(m, nn.Conv2d)]
    trainer.model.train()(torch.randn(batch, 3, 32, 32))
    for hook in hooks:
        hook.remove()
    return counted[0], counted[1]


def gigaflops(size: int = 1024) -> float:
    """Return the speed of PyTorch's matrix product."""
    left, right = torch.randn(2, size, size)
    return median(2e-9 * size**3 / seconds(lambda: left @ right) for _ in range(9))


def seconds(function: Callable[[], object]) -> float:
    """Return the time of a call."""
    started = time.perf_counter()
    function()
    return time.perf_counter() - started


def main() -> None:
    """Train some steps and print JSON: seconds by kind, and the limits."""
    options = program_parser(__doc__, batch=128, steps=10).parse_args()
    torch.set_num_threads(1)
    recipe = cifar_quick(batch_size=options.batch, precision="fp32")
    trainer = prepare(images(None, 4 * options.batch), recipe, 0)
    computed, usual = multiply_adds(trainer, options.batch)
    trainer.optimiser.zero_grad()
    trainer.model.train()
    for _ in range(5):
        trainer._advance(0.01)
    speed = [gigaflops()]
    step = median(seconds(lambda: trainer._advance(0.01)) for _ in range(options.steps))
    speed.append(gigaflops())
    with profile() as profiled:
        for _ in range(options.steps):
            trainer._advance(0.01)
    spent: dict[str, float] = defaultdict(float)
    for event in profiled.key_averages():
        spent[KINDS.get(event.key, "all else")] += event.self_cpu_time_total / 1e3 / options.steps
    peak, whole = mean(speed), sum(spent.values())
    by_size = sorted(spent.items(), key=lambda kind: -kind[1])
    tell(
        batch=options.batch,
        step_ms=round(1e3 * step, 1),
        profiled_ms={kind: round(ms, 1) for kind, ms in by_size},
        shares={kind: round(ms / whole, 3) for kind, ms in by_size},
        matrix_product_gigaflops=round(peak, 1),
        gigaflop_of_a_step=round(2e-9 * computed, 2),
        gigaflop_the_usual_way=round(2e-9 * usual, 2),
        products_alone_ms=round(2e-6 * computed / peak, 1),
        products_alone_the_usual_way_ms=round(2e-6 * usual / peak, 1),
        share_of_the_limit=round(2e-9 * computed / peak / step, 3),
        share_of_the_usual_ways_limit=round(2e-9 * usual / peak / step, 3),
    )


if __name__ == "__main__":
    run_program(main)
