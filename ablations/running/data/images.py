"""Turn image files into arrays: of one fixed size (CIFAR), or resized and cropped (ImageNet's layout)."""

from __future__ import annotations

import io
import os
import struct
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

import numpy as np
from PIL import Image

from ablations.running.data.file_trees import Source
from ablations.running.data.folders import Layout
from ablations.running.data.raw_dataset import Block, Bytes, Content
from senet_core.errors import UserError

_BROKEN = (OSError, SyntaxError, ValueError, EOFError, struct.error, Image.DecompressionBombError)
_LONGEST = 100
_CHUNK = 32  # images a thread decodes before it reports


def _open(data: bytes, name: str, channels: int) -> Image.Image:
    try:
        with Image.open(io.BytesIO(data)) as file:
            file.load()
            image: Image.Image = file
            if image.mode.startswith(("I", "F")):  # converting would clip them without a word
                raise UserError(f"image {name!r} has pixels of mode {image.mode}; 8 bits a channel needed")
            if "transparency" in image.info:
                image = image.convert("RGBA")
            return image.convert("RGB" if channels == 3 else "L")
    except UserError:
        raise
    except _BROKEN as error:
        raise UserError(f"cannot read the image {name!r}: {' '.join(str(error).split())}") from error


@dataclass(frozen=True)
class Exact:
    """Read images that all have one size.

    Attributes:
        size: side in pixels.
        channels: 3, or 1 for grey.
    """

    size: int
    channels: int = 3
    in_threads = (
        False  # images this small cost less than handing them over: two threads took 1.5 times as long
    )

    @property
    def shape(self) -> tuple[int, int, int]:
        """(H, W, C)."""
        return self.size, self.size, self.channels

    def __call__(self, data: bytes, name: str) -> Bytes:
        """Decode one file; grey and palette images become what `channels` asks for."""
        image = _open(data, name, self.channels)
        if image.size != (self.size, self.size):
            width, height = image.size
            raise UserError(f"image {name!r} is {width}x{height} pixels; {self.size}x{self.size} are needed")
        return np.asarray(image).reshape(self.shape)


@dataclass(frozen=True)
class Cropped:
    """Read images of any size: resize the short side, then cut a square from the centre.

    Attributes:
        short: the short side after resizing (bilinear with antialiasing), in pixels.
        size: side of the square, in pixels, at most `short`.
    """

    short: int
    size: int
    in_threads = True

    @property
    def shape(self) -> tuple[int, int, int]:
        """(H, W, C)."""
        return self.size, self.size, 3

    def __call__(self, data: bytes, name: str) -> Bytes:
        """Decode, resize and crop one file."""
        image = _open(data, name, 3)
        width, height = image.size
        if max(width, height) > _LONGEST * min(width, height):  # resized, it would take all memory
            raise UserError(
                f"image {name!r} is {width}x{height} pixels; one side may be at most {_LONGEST} times the other"
            )
        scale = self.short / min(width, height)
        width, height = max(self.short, int(width * scale)), max(self.short, int(height * scale))
        image = image.resize((width, height), Image.Resampling.BILINEAR)
        left, top = round((width - self.size) / 2), round((height - self.size) / 2)
        return np.asarray(image.crop((left, top, left + self.size, top + self.size)))


Decode = Exact | Cropped


def from_images(
    source: Source, layout: Layout, train: Decode, test: Decode, *, origin: str, note: str
) -> Content:
    """Stream the images of a folder or archive, decoded, each to its place.

    Args:
        source: the folder or archive.
        layout: which file is which image.
        train: how training images are decoded.
        test: how test images are decoded.
        origin: where the images came from, for people.
        note: what a report must say about them.
    """
    places: dict[str, tuple[str, int, Decode]] = {}
    for part, names, decode in (("train", layout.train.names, train), ("test", layout.test.names, test)):
        places.update({name: (part, index, decode) for index, name in enumerate(names)})

    def decoded(item: tuple[str, bytes]) -> Block:
        name, data = item
        part, index, decode = places[name]
        return part, index, decode(data, name)[None]

    def blocks() -> Iterator[Block]:
        files = source.read(places.keys())
        return _threaded(decoded, files) if train.in_threads else map(decoded, files)

    return Content(
        classes=layout.classes,
        train_labels=np.array(layout.train.labels, dtype=np.int64),
        test_labels=np.array(layout.test.labels, dtype=np.int64),
        train_shape=train.shape,
        test_shape=test.shape,
        source=origin,
        note=note,
        blocks=blocks,
    )


def _threaded(
    decoded: Callable[[tuple[str, bytes]], Block], files: Iterator[tuple[str, bytes]]
) -> Iterator[Block]:
    """Decode in as many threads as cores, with a bounded number of images in memory; order is kept."""

    def chunk(items: list[tuple[str, bytes]]) -> list[Block]:
        return [decoded(item) for item in items]

    workers = os.cpu_count() or 1
    waiting: deque[Future[list[Block]]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            while items := list(islice(files, _CHUNK)):
                waiting.append(pool.submit(chunk, items))
                if len(waiting) > 2 * workers:
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
