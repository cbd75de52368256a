"""How fast one way of training is on the GPU, how busy that is, and its share of what a matrix product makes."""

from __future__ import annotations

import time
from argparse import Namespace

import torch

from ablations.running.training.trainer import Trainer
from bench.gpu.gauge import Gauge
from bench.gpu.peers import PEERS
from bench.gpu.training import BACKBONE, device_here, how_taken, trainer_on, wait_for
from bench.programs import program_parser, run_program, tell
from senet_core import SEVariant
from senet_core.complexity import measure_complexity

OURS = ("eager", "captured")
IMAGE = (3, 32, 32)
"""Channels, height and width."""


def main() -> None:
    """Train some steps, and print JSON."""
    parser = program_parser(__doc__, steps=200, warmup=20, batch=128, product=8192)
    parser.add_argument("--how", choices=(*PEERS, *OURS), default="captured")
    parser.add_argument("--precision", choices=("fp32", "tf32", "bf16"), default="fp32")
    parser.add_argument(
        "--any-algorithm", action="store_true", help="also algorithms that are not deterministic"
    )
    parser.add_argument("--dry", action="store_true")
    options = parser.parse_args()
    if options.dry and options.precision == "tf32":
        options.precision = "fp32"  # no processor has the other
    device = device_here(dry=options.dry)
    gauge = Gauge(device, options.warmup, options.steps)
    graph = "no"
    if options.how in PEERS:
        PEERS[options.how](options, device, gauge)
    else:
        trainer = ours(options, device)
        gauge.take(lambda: trainer._advance(0.01))
        graph = how_taken(trainer)
    flop = options.batch * flop_of_image()
    limit = product_flops(device, options.precision, options.product)
    busy = gauge.busy
    tell(
        graph=graph,
        images_per_second=options.batch / gauge.seconds,
        step_ms=1e3 * gauge.seconds,
        busy=None if busy is None else busy.seconds / gauge.seconds,
        kernels_in_a_step=None if busy is None else busy.kernels,
        launches_in_a_step=None if busy is None else busy.launches,
        tflops=flop / gauge.seconds / 1e12,
        product_tflops=limit / 1e12,
        share_of_product=flop / gauge.seconds / limit,
    )


def flop_of_image() -> float:
    """Return the operations that a step computes for an image: two for each multiply-add, and twice that backwards."""
    return 6.0 * measure_complexity(BACKBONE, SEVariant(), image_shape=IMAGE, num_classes=10).multiply_adds


def ours(options: Namespace, device: torch.device) -> Trainer:
    """Return our training, whose steps include the augmentation."""
    trainer = trainer_on(
        device,
        count=10 * options.batch,
        captured=options.how == "captured",
        precision=options.precision,
        batch_size=options.batch,
    )
    if options.any_algorithm:
        torch.use_deterministic_algorithms(False)
        torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = False, True
    return trainer


def product_flops(device: torch.device, precision: str, size: int) -> float:
    """Return the operations a second of a large matrix product in a precision, which is what a device can do."""
    number = torch.bfloat16 if precision == "bf16" else torch.float32
    left, right = (torch.randn(size, size, device=device, dtype=number) for _ in range(2))
    best = float("inf")
    for _ in range(5):
        wait_for(device)
        started = time.perf_counter()
        left @ right
        wait_for(device)
        best = min(best, time.perf_counter() - started)
    return 2 * size**3 / best


if __name__ == "__main__":
    run_program(main)
