"""Decoding image files to arrays: of one fixed size (CIFAR), or resized and cropped (ImageNet's layout)."""

from __future__ import annotations

import io
import struct
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

import numpy as np
from PIL import Image, UnidentifiedImageError

from ablations.errors import DataError
from ablations.running.data.file_trees import FileTree
from ablations.running.data.folders import ImageFiles
from ablations.running.data.raw_dataset import Block, Bytes, RawDataset
from ablations.running.machine.cores import available_cores
from senet_core.errors import one_line

_BROKEN = (OSError, SyntaxError, ValueError, EOFError, struct.error, Image.DecompressionBombError)
_FORMATS = ("JPEG", "PNG", "BMP", "GIF", "WEBP", "PPM", "TIFF")
"""What is decoded, whatever a file is called: others of Pillow's formats start programs (EPS) or read other files."""

warnings.filterwarnings(
    "ignore", category=Image.DecompressionBombWarning
)  # `MOST_PIXELS` is below, and said once

_LONGEST = 100
MOST_PIXELS = 2**26
"""Limit of one image: about 8,000 by 8,000."""

Item = TypeVar("Item")
_CHUNK = 32  # images a thread decodes before it reports


def _check_size(found: tuple[int, int], name: str, size: int | None) -> None:
    """Refuse an image by what its header says, before there is room made for its pixels."""
    width, height = found
    if size is not None and found != (size, size):
        raise DataError(f"image {name!r} is {width}x{height} pixels; {size}x{size} are needed")
    if max(width, height) > _LONGEST * min(width, height):  # resized, it would take all memory
        raise DataError(
            f"image {name!r} is {width}x{height} pixels; one side may be at most {_LONGEST} times the other"
        )
    if width * height > MOST_PIXELS:
        raise DataError(
            f"image {name!r} is {width}x{height} pixels; at most {MOST_PIXELS:,} are read; make it smaller"
        )


def _open(data: bytes, name: str, channels: int, size: int | None = None) -> Image.Image:
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as file:
            _check_size(file.size, name, size)
            file.load()
            image: Image.Image = file
            if image.mode.startswith(("I", "F")):  # converting would clip them without a word
                raise DataError(f"image {name!r} has pixels of mode {image.mode}; 8 bits a channel needed")
            if "transparency" in image.info:
                image = image.convert("RGBA")
            return image.convert("RGB" if channels == 3 else "L")
    except DataError:
        raise
    except UnidentifiedImageError:
        raise DataError(
            f"cannot read the image {name!r}: by its content it is none of {', '.join(_FORMATS)}"
        ) from None
    except _BROKEN as error:
        raise DataError(f"cannot read the image {name!r}: {one_line(error)}") from error


def opened(data: bytes, name: str) -> Bytes:
    """Return the image of one file as it is, RGB: (H, W, C).

    Args:
        data: of the file.
        name: of the file, for messages.

    Raises:
        DataError: it is no image that is read, or too large.
    """
    return np.asarray(_open(data, name, 3))


@dataclass(frozen=True)
class Exact:
    """Decodes images that all have one size.

    Attributes:
        size: side in pixels.
        channels: 3, or 1 for grey.
    """

    size: int
    channels: int = 3
    in_threads = False  # decoding so small images costs less than handing them over: two threads took 1.5 times as long

    @property
    def shape(self) -> tuple[int, int, int]:
        """(H, W, C)."""
        return self.size, self.size, self.channels

    def __call__(self, data: bytes, name: str) -> Bytes:
        """Return the image of one file, (H, W, C); grey and palette images are converted to `channels`."""
        return self.of(_open(data, name, self.channels, self.size), name)

    def of(self, image: Image.Image, name: str) -> Bytes:
        """Return an image that is open already, likewise."""
        _check_size(image.size, name, self.size)
        return np.asarray(image.convert("RGB" if self.channels == 3 else "L")).reshape(self.shape)


@dataclass(frozen=True)
class Cropped:
    """Decodes images of any size: resizes the short side, then crops a square from the centre.

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
        """Return the image of one file, resized and cropped: (H, W, C)."""
        return self.of(_open(data, name, 3), name)

    def of(self, image: Image.Image, name: str) -> Bytes:
        """Return an image that is open already, likewise."""
        _check_size(image.size, name, None)
        image = image.convert("RGB")
        width, height = image.size
        scale = self.short / min(width, height)
        width, height = max(self.short, int(width * scale)), max(self.short, int(height * scale))
        image = image.resize((width, height), Image.Resampling.BILINEAR)
        left, top = round((width - self.size) / 2), round((height - self.size) / 2)
        return np.asarray(image.crop((left, top, left + self.size, top + self.size)))


Decode = Exact | Cropped


def from_images(
    tree: FileTree, files: ImageFiles, train: Decode, test: Decode, *, origin: str, note: str
) -> RawDataset:
    """Return a data set whose images are decoded, as a stream, from a folder or an archive.

    Args:
        tree: the folder or archive.
        files: its image files.
        train: how training images are decoded.
        test: how test images are decoded.
        origin: where the images came from, for people.
        note: what a report must say about them.
    """
    paths: dict[str, tuple[str, int, Decode]] = {}
    for split, names, decode in (("train", files.train.names, train), ("test", files.test.names, test)):
        paths.update({name: (split, index, decode) for index, name in enumerate(names)})

    def decoded(item: tuple[str, bytes]) -> Block:
        name, data = item
        split, index, decode = paths[name]
        return split, index, decode(data, name)[None]

    def blocks() -> Iterator[Block]:
        read = tree.read(paths.keys())
        return in_threads(decoded, read) if train.in_threads else map(decoded, read)

    return RawDataset(
        classes=files.classes,
        train_labels=np.array(files.train.labels, dtype=np.int64),
        test_labels=np.array(files.test.labels, dtype=np.int64),
        train_shape=train.shape,
        test_shape=test.shape,
        source=origin,
        note=note,
        blocks=blocks,
    )


def in_threads(decoded: Callable[[Item], Block], items: Iterator[Item]) -> Iterator[Block]:
    """Decode in as many threads as cores, with a bounded number of images in memory; order is kept."""

    def chunk(several: list[Item]) -> list[Block]:
        return [decoded(item) for item in several]

    workers = available_cores()
    waiting: deque[Future[list[Block]]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            while several := list(islice(items, _CHUNK)):
                waiting.append(pool.submit(chunk, several))
                if len(waiting) > 2 * workers:
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
