"""What all contenders share: options, images, learning rate and the clock."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from PIL import Image

MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)
SGD = {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 5e-4}
RANDOM_IMAGES = 10_000


def arguments(description: str | None, *precisions: str, extra: tuple[str, ...] = ()) -> argparse.Namespace:
    """Parse the options of a contender; `extra` are switches of its own."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--data", type=Path, help="prepared CIFAR-10; random images without it")
    parser.add_argument("--steps", type=int, default=20, help="that are timed")
    parser.add_argument("--warmup", type=int, default=5, help="steps before")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--precision", choices=precisions or ("fp32",), default=(precisions or ("fp32",))[0])
    for switch in extra:
        parser.add_argument(switch, action="store_true")
    return parser.parse_args()


def arrays(data: Path | None) -> tuple[np.ndarray, np.ndarray]:
    """Return images (N, 32, 32, 3) uint8 and labels (N,), in memory."""
    if data is None:
        draw = np.random.default_rng(0)
        images = draw.integers(0, 256, (RANDOM_IMAGES, 32, 32, 3), dtype=np.uint8)
        return images, draw.integers(0, 10, RANDOM_IMAGES)
    from safetensors.numpy import load_file

    tensors = load_file(data)
    return tensors["train_images"], tensors["train_labels"]


class Images:
    """A map-style data set of PIL images, as torchvision.datasets.CIFAR10 is one."""

    def __init__(self, data: Path | None, transform: Any) -> None:
        self.images, self.labels = arrays(data)
        self.transform = transform

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        image = Image.fromarray(self.images[index])
        return self.transform(image), int(self.labels[index])


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
        return self.ticks >= self.options.warmup + self.options.steps

    def report(self) -> None:
        """Print the result, as the last line of the output."""
        images = self.options.steps * self.options.batch
        cpu = (cpu_seconds() - self.cpu_started) / images
        tell(images / (self.ended - self.started), 1e3 * cpu, precision=self.options.precision)


def cpu_seconds() -> float:
    """Return the processor time of this process and of those that it has started and that still run."""
    own = psutil.Process()
    times = [process.cpu_times() for process in (own, *own.children(recursive=True))]
    return sum(spent.user + spent.system for spent in times)


def tell(images_per_second: float, cpu_ms_per_image: float, **more: Any) -> None:
    """Print a result as JSON on a line of its own."""
    found = {"images_per_second": images_per_second, "cpu_ms_per_image": cpu_ms_per_image, **more}
    print(json.dumps(found), flush=True)
