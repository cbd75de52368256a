"""Images and their order: read when they are needed, a batch ahead, and kept while they are few."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ablations.errors import DataError
from ablations.experiments.dense.coco import CocoImage
from senet_core.bounded import GIB
from senet_core.errors import one_line

if TYPE_CHECKING:
    from ablations.planning.experiment import Context

KEPT_BYTES = GIB
"""Of all images of a split, decoded: those of a larger one are read again in every epoch."""

Example = TypeVar("Example")


def read_image(image: CocoImage) -> Tensor:
    """Return an image as (3, H, W) uint8.

    Raises:
        DataError: it cannot be read, or has another size than the annotations say.
    """
    try:
        with Image.open(image.path) as opened:
            pixels = np.asarray(opened.convert("RGB"))
    except Exception as error:  # a damaged file can fail in any way
        raise DataError(f"cannot read image {image.path}: {one_line(error)}") from error
    height, width = pixels.shape[:2]
    if (width, height) != (image.width, image.height):
        raise DataError(
            f"image {image.path} has {width}x{height} pixels, and the annotations say {image.width}x{image.height}"
        )
    return torch.from_numpy(pixels.copy()).permute(2, 0, 1)


class Examples(Generic[Example]):
    """The examples of a split: each is made once where all fit into memory.

    Args:
        images: of the split.
        make: returns the example of an image's number.
        threads: that make examples.
    """

    def __init__(self, images: Sequence[CocoImage], make: Callable[[int], Example], threads: int) -> None:
        self._make, self._threads = make, threads
        self._kept: dict[int, Example] | None = (
            {} if 3 * sum(image.width * image.height for image in images) <= KEPT_BYTES else None
        )

    def get(self, number: int) -> Example:
        """Return the example of an image's number, which nobody may change."""
        if self._kept is None:
            return self._make(number)
        if number not in self._kept:
            self._kept[number] = self._make(number)
        return self._kept[number]

    def batches(self, numbers: Iterator[Sequence[int]]) -> Iterator[list[Example]]:
        """Yield the examples of each batch, and make the next one meanwhile."""
        with ThreadPoolExecutor(max(1, self._threads)) as pool:
            waiting: list[list[Future[Example]]] = []
            for batch in numbers:
                waiting.append([pool.submit(self.get, number) for number in batch])
                if len(waiting) > 1:
                    yield [future.result() for future in waiting.pop(0)]
            for futures in waiting:
                yield [future.result() for future in futures]


def ordered(count: int, size: int, context: Context, *, start: int, steps: int) -> Iterator[list[int]]:
    """Yield the images' numbers of each step from `start` on; those that fill no batch wait for another epoch."""
    each, order, known = count // size, np.empty(0, np.int64), -1
    for step in range(start, steps):
        epoch, place = divmod(step, each)
        if epoch != known:
            order, known = context.rng(f"order {epoch}").permutation(count), epoch
        yield [int(number) for number in order[place * size : (place + 1) * size]]


def flips(count: int, step: int, context: Context) -> list[bool]:
    """Return which images of a step's batch are mirrored."""
    drawn: Any = context.rng(f"flips {step}").random(count) < 0.5
    return [bool(one) for one in drawn]
