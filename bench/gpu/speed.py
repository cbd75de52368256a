"""How fast one way of training is on the GPU, how busy that is, and its share of what a matrix product makes."""

from __future__ import annotations

import time
from argparse import Namespace
from collections.abc import Callable

import torch
from torch.nn import functional
from torch.profiler import ProfilerActivity, profile
from torch.utils.data import DataLoader

from ablations.running.machine.cores import available_cores
from ablations.running.machine.cuda.device import prepare_device
from ablations.running.training.trainer import Trainer
from bench.contenders import setting
from bench.contenders.network import SEResNet20
from bench.contenders.plain_pytorch import train_transform
from bench.gpu.training import BACKBONE, device_here, how_taken, trainer_on, wait_for
from bench.programs import program_parser, tell
from senet_core import SEVariant
from senet_core.complexity import measure_complexity

WAYS = ("plain", "compiled", "eager", "captured")
_PROFILED = 10


def main() -> None:
    """Train some steps, and print JSON."""
    parser = program_parser(__doc__, steps=200, warmup=20, batch=128, product=8192)
    parser.add_argument("--how", choices=WAYS, default="captured")
    parser.add_argument("--precision", choices=("fp32", "tf32", "bf16"), default="fp32")
    parser.add_argument(
        "--any-algorithm", action="store_true", help="also algorithms that are not deterministic"
    )
    parser.add_argument("--dry", action="store_true")
    options = parser.parse_args()
    if options.dry and options.precision == "tf32":
        options.precision = "fp32"  # no processor has the other
    device = device_here(dry=options.dry)
    trainer = None if options.how in ("plain", "compiled") else ours(options, device)
    step = plain(options, device) if trainer is None else lambda: trainer._advance(0.01)
    if options.any_algorithm:
        torch.use_deterministic_algorithms(False)
        torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = False, True
    for _ in range(options.warmup):
        step()
    wait_for(device)
    started = time.perf_counter()
    for _ in range(options.steps):
        step()
    wait_for(device)
    seconds = (time.perf_counter() - started) / options.steps
    busy, kernels = on_gpu(step, device)
    flop = (
        6 * options.batch * measure_complexity(BACKBONE, SEVariant()).multiply_adds
    )  # and twice that backwards
    limit = product_flops(device, options.precision, options.product)
    tell(
        graph="no" if trainer is None else how_taken(trainer),
        images_per_second=options.batch / seconds,
        step_ms=1e3 * seconds,
        busy=None if busy is None else busy / seconds,
        kernels_in_a_step=kernels,
        product_tflops=limit / 1e12,
        share_of_product=flop / seconds / limit,
    )


def ours(options: Namespace, device: torch.device) -> Trainer:
    """Return our training, whose steps include the augmentation."""
    return trainer_on(
        device,
        count=10 * options.batch,
        captured=options.how == "captured",
        precision=options.precision,
        batch_size=options.batch,
    )


def plain(options: Namespace, device: torch.device) -> Callable[[], object]:
    """Return a step as most write it: a DataLoader with workers, torchvision's transforms, SGD."""
    prepare_device(device, options.precision)
    torch.use_deterministic_algorithms(False)  # as PyTorch begins, but for the rounding
    torch.backends.cudnn.deterministic = False
    workers = 0 if options.dry else min(8, available_cores())
    loader = DataLoader(
        setting.PILImages(None, train_transform()),
        options.batch,
        shuffle=True,
        num_workers=workers,
        drop_last=True,
        pin_memory=device.type == "cuda",
        persistent_workers=workers > 0,
    )
    model = SEResNet20().to(device).train()
    network = (
        torch.compile(model, backend="eager" if options.dry else "inductor")
        if options.how == "compiled"
        else model
    )
    optimiser = torch.optim.SGD(model.parameters(), **setting.SGD)
    batches = setting.endless(loader)
    bf16 = options.precision == "bf16"

    def step() -> None:
        inputs, labels = (each.to(device, non_blocking=True) for each in next(batches))
        with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
            loss = functional.cross_entropy(network(inputs).float(), labels)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()

    return step


def on_gpu(step: Callable[[], object], device: torch.device) -> tuple[float | None, int | None]:
    """Return the seconds of a step in which the GPU computes, and how many kernels it runs; None without a GPU."""
    if device.type != "cuda":
        return None, None
    with profile(activities=[ProfilerActivity.CUDA]) as profiled:
        for _ in range(_PROFILED):
            step()
        wait_for(device)
    events = [event for event in profiled.key_averages() if event.self_device_time_total > 0]
    seconds = sum(event.self_device_time_total for event in events) / 1e6 / _PROFILED
    return seconds, round(sum(event.count for event in events) / _PROFILED)


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
    main()
