"""What all contenders share: options, images, learning rate and the clock."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from numpy.typing import NDArray
from PIL import Image
from torch.utils.data import Dataset

from bench.programs import add_data, program_parser, tell

MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)
SGD: dict[str, Any] = {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 5e-4}
RANDOM_IMAGES = 10_000


def arguments(
    description: str | None, *precisions: str, switches: tuple[str, ...] = ()
) -> argparse.Namespace:
    """Parse the options of a contender: `steps` are timed after `warmup` steps."""
    parser = program_parser(description, steps=20, warmup=5, batch=128, cores=2)
    add_data(parser)
    known = precisions or ("fp32",)
    parser.add_argument("--precision", choices=known, default=known[0])
    for switch in switches:
        parser.add_argument(switch, action="store_true")
    return parser.parse_args()


def arrays(data: Path | None) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return images (N, 32, 32, 3) uint8 and labels (N,), in memory."""
    if data is None:
        draw = np.random.default_rng(0)
        images = draw.integers(0, 256, (RANDOM_IMAGES, 32, 32, 3), dtype=np.uint8)
        return images, draw.integers(0, 10, RANDOM_IMAGES)
    from safetensors.numpy import load_file

    tensors = load_file(data)
    return tensors["train_images"], tensors["train_labels"]


class PILImages(Dataset[tuple[Any, int]]):
    """A map-style data set of PIL images, as torchvision.datasets.CIFAR10 is one."""

    def __init__(self, data: Path | None, transform: Any) -> None:
        self.images, self.labels = arrays(data)
        self.transform = transform

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        return self.transform(Image.fromarray(self.images[index])), int(self.labels[index])


def endless(loader: Iterable[Any]) -> Iterator[Any]:
    """Yield a loader's batches, epoch after epoch."""
    while True:
        yield from loader


class Clock:
    """Times the steps after the warm-up; `tick` after every step, `done` when there were enough."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options, self.ticks = options, 0
        self.started = self.ended = self.cpu_started = 0.0

    def tick(self) -> None:
        """Note that a step is done."""
        self.ticks += 1
        if self.ticks == self.options.warmup:
            self.started, self.cpu_started = time.perf_counter(), cpu_seconds()
        self.ended = time.perf_counter()

    @property
    def done(self) -> bool:
        """Whether all steps were taken."""
        return bool(self.ticks >= self.options.warmup + self.options.steps)

    def report(self) -> None:
        """Print the result, as the last line of the output."""
        images = self.options.steps * self.options.batch
        tell(
            images_per_second=images / (self.ended - self.started),
            cpu_ms_per_image=1e3 * (cpu_seconds() - self.cpu_started) / images,
            precision=self.options.precision,
        )


def cpu_seconds() -> float:
    """Return the processor time of this process and of those that it has started and that still run."""
    own = psutil.Process()
    times = [process.cpu_times() for process in (own, *own.children(recursive=True))]
    return sum(spent.user + spent.system for spent in times)
