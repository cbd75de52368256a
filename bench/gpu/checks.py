"""Whether training on the GPU is right: rounding, the same bits twice, from a graph and after a stop, a lost GPU."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import torch
from torch.nn import functional

from ablations.running.executors.process_pool import WorkerPool
from ablations.running.machine.cuda.determinism import noting_nondeterminism
from ablations.running.machine.cuda.device import prepare_device
from ablations.running.machine.devices import visible_gpus
from ablations.running.training.augmentation.augmentation import Augmentation
from ablations.running.training.checkpoint import Supervisor
from ablations.running.training.evaluation import hash_weights
from ablations.running.training.trainer import Observer, Trainer
from bench.gpu.in_workers import lose_gpu, use_gpu
from bench.gpu.training import device_here, how_taken, trainer_on
from bench.programs import program_parser, run_program, tell
from senet_core.errors import one_line
from senet_core.randomness import drawing_from

Found = tuple[bool, str]
ROUNDED = {"fp32": 1e-5, "tf32": 1e-2}
"""The largest error beside the largest value that a precision may make in a product of 1,024 terms."""


def main() -> None:
    """Check, and print JSON: each check with whether it passed, and what was seen."""
    parser = program_parser(__doc__, steps=40, batch=128)
    parser.add_argument("--dry", action="store_true")
    options = parser.parse_args()
    device = device_here(dry=options.dry)
    size = {"steps": options.steps, "batch": options.batch}
    checks: dict[str, Callable[[], Found]] = {
        "fp32 is float32 in products and convolutions": lambda: rounding(device, "fp32"),
        "tf32 is coarser, and not more": lambda: rounding(device, "tf32"),
        "augmentation gives the bytes of the CPU": lambda: same_bytes(device, options.batch),
        "the same training twice, the same bits": lambda: twice(device, **size),
        "a graph gives the bits of its step": lambda: captured(device, **size),
        "with dropout, mixing and a clipped gradient, too": lambda: captured(
            device, **size, dropout=0.2, mixup=0.2, clip_norm=1.0
        ),
        "stopped and continued, the same bits": lambda: continued(device, **size),
        "a worker that lost its GPU is replaced": lambda: replaced(dry=options.dry),
    }
    tell(checks=[{"what": what, **seen(check)} for what, check in checks.items()])


def seen(check: Callable[[], Found]) -> Mapping[str, Any]:
    """Return whether a check passed, and what was seen; an error is a check that did not."""
    try:
        passed, said = check()
    except Exception as error:  # the other checks are wanted all the same
        passed, said = False, f"{type(error).__name__}: {one_line(error)[:200]}"
    return {"passed": passed, "said": said}


def rounding(device: torch.device, precision: str) -> Found:
    """Compare a product and a convolution with those of float64."""
    if precision == "tf32" and device.type != "cuda":
        return True, "left out: no GPU"
    prepare_device(device, precision)
    drawn = torch.Generator().manual_seed(0)
    left, right = (torch.randn(1024, 1024, generator=drawn) for _ in range(2))
    maps, filters = torch.randn(8, 64, 16, 16, generator=drawn), torch.randn(64, 64, 3, 3, generator=drawn)
    pairs = [
        ((left.to(device) @ right.to(device)).cpu(), left.double() @ right.double()),
        (
            functional.conv2d(maps.to(device), filters.to(device), padding=1).cpu(),
            functional.conv2d(maps.double(), filters.double(), padding=1),
        ),
    ]
    errors = [float((found - exact).abs().max() / exact.abs().max()) for found, exact in pairs]
    coarse = precision != "tf32" or min(errors) > ROUNDED["fp32"]
    said = f"largest error by largest value: product {errors[0]:.1e}, convolution {errors[1]:.1e}"
    return max(errors) < ROUNDED[precision] and coarse, said


def same_bytes(device: torch.device, batch: int) -> Found:
    """Augment one batch on the CPU and on the device."""
    images = torch.randint(
        256, (batch, 32, 32, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(1)
    )
    different = 0
    for augment in (
        Augmentation(size=32, cutout=8, fill=(1.0, 2.0, 3.0)),
        Augmentation(size=24, crop="none"),
    ):
        both = [
            augment(each, torch.Generator().manual_seed(2), torch.Generator().manual_seed(3)).cpu()
            for each in (images, images.to(device))
        ]
        different += int((both[0] != both[1]).any(dim=3).any(dim=2).any(dim=1).sum())
    return different == 0, f"{different} of {2 * batch} images differ"


def twice(device: torch.device, steps: int, batch: int) -> Found:
    """Train twice."""
    with noting_nondeterminism() as without:
        one, other = (trained(trainer_on(device, **_sizes(steps, batch)))[0] for _ in range(2))
    said = f"; without a deterministic form: {', '.join(sorted(without))}" if without else ""
    return one == other, f"weights {one[:12]} and {other[:12]}{said}"


def captured(device: torch.device, steps: int, batch: int, **recipe: Any) -> Found:
    """Train by a graph and without."""
    recipe |= _sizes(steps, batch)
    (graph, taken), (plain, _) = (
        trained(trainer_on(device, captured=which, **recipe)) for which in (True, False)
    )
    right = graph == plain and (device.type != "cuda" or taken == "yes")
    return right, f"from a graph: {taken}; weights {graph[:12]} and {plain[:12]}"


class _Interrupt(Supervisor):
    """Stops in the middle, with the state as a checkpoint would have it."""

    def __init__(self, step: int) -> None:
        super().__init__()
        self._at = step
        self.state: Any = None

    def after_step(
        self, step: int, state: Callable[[], Mapping[str, Any]], *, epoch_ended: bool, last: bool
    ) -> None:
        if step == self._at:
            self.state = state()
            raise InterruptedError


def continued(device: torch.device, steps: int, batch: int) -> Found:
    """Train at one go, and in two."""
    recipe = {**_sizes(steps, batch), "dropout": 0.2}
    whole, _ = trained(trainer_on(device, **recipe))
    stop, first = _Interrupt(max(1, steps // 2)), trainer_on(device, **recipe)
    with suppress(InterruptedError):
        trained(first, stop)
    second = trainer_on(device, **recipe)
    with drawing_from(0, "noise", device=device):
        second.restore(stop.state)
        second.run(Observer(), Supervisor())
    again = hash_weights(second.tested)
    return whole == again, f"weights {whole[:12]} and {again[:12]}"


def replaced(*, dry: bool) -> Found:
    """Lose a worker's GPU, and use the worker that follows."""
    pool = WorkerPool(1, threads=1, gpus=() if dry else visible_gpus())
    try:
        lost = pool.submit(lose_gpu, dry=dry).result()
        after = pool.submit(use_gpu, dry=dry).result()
    finally:
        pool.kill()
    return lost.spent and after == 4.0, f"{lost.data_note}; then 2 + 2 is {after:g}"


def trained(trainer: Trainer, supervisor: Supervisor | None = None) -> tuple[str, str]:
    """Train to the end; returns the hash of the weights, and whether the steps came from a graph."""
    with drawing_from(0, "noise", device=trainer.device):
        trainer.run(Observer(), supervisor or Supervisor())
    return hash_weights(trainer.tested), how_taken(trainer)


def _sizes(steps: int, batch: int) -> dict[str, Any]:
    return {"epochs": None, "iterations": steps, "batch_size": batch}


if __name__ == "__main__":
    run_program(main)
