"""Reading Fashion-MNIST as its authors publish it: four IDX files, gzipped or not."""

from __future__ import annotations

import gzip
import io
import math
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ablations.errors import DataError
from ablations.running.data.file_trees import FileTree
from ablations.running.data.raw_dataset import RawDataset, from_arrays

CLASSES = (
    *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
    *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
)
MOST_BYTES = 2**28
"""Limit of an IDX file, unpacked; the largest of the four has 2**26."""

_FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)

ORIGINALS = frozenset(name + ending for name in _FILES for ending in ("", ".gz"))
"""Names of the files."""


def read_fashion(tree: FileTree, names: Sequence[str], origin: str) -> RawDataset | None:
    """Return Fashion-MNIST from its four files; None where one of them is not in the tree.

    Args:
        tree: the folder or archive.
        names: the names in the tree.
        origin: where the images came from, for people.

    Raises:
        DataError: a file is damaged.
    """
    found = {name.split("/")[-1].removesuffix(".gz"): name for name in sorted(names)}
    if any(file not in found for file in _FILES):
        return None
    read = dict(tree.read({found[file] for file in _FILES}))
    train_images, train_labels, test_images, test_labels = (
        parse_idx(read[found[file]], found[file], 3 if "images" in file else 1) for file in _FILES
    )
    for images, name in ((train_images, found[_FILES[0]]), (test_images, found[_FILES[2]])):
        if images.shape[1:] != (28, 28):
            raise DataError(f"{name!r} holds images of {images.shape[1:]} pixels; 28x28 are needed")
    return from_arrays(
        CLASSES, (train_images[..., None], train_labels), (test_images[..., None], test_labels), source=origin
    )


def parse_idx(data: bytes, name: str, dimensions: int) -> npt.NDArray[Any]:
    """Return the array of an IDX file: two zeros, type 8, number of dimensions, their sizes (big-endian), values.

    Args:
        data: the file, gzipped or not.
        name: of the file, for messages.
        dimensions: the number that it should have.

    Raises:
        DataError: it is damaged.
    """
    try:
        if data[:2] == b"\x1f\x8b":
            data = _unpacked(data, dimensions)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"cannot read {name!r}: {error}") from error
    start = 4 + 4 * dimensions
    shape = np.frombuffer(data[4:start], dtype=">u4").astype(np.int64) if len(data) >= start else None
    if (
        shape is None
        or data[:4] != bytes((0, 0, 8, dimensions))
        or len(data) - start != math.prod(shape.tolist())
    ):
        raise DataError(f"cannot read {name!r}: it is truncated, or no IDX file of {dimensions} dimensions")
    return np.frombuffer(data, dtype=np.uint8, offset=start).reshape(shape)


def _unpacked(data: bytes, dimensions: int) -> bytes:
    """Unpack no more than the file says that it has, and one byte to notice what follows."""
    with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
        head = file.read(4 + 4 * dimensions)
        if len(head) < 4 + 4 * dimensions:
            return head
        said = math.prod(np.frombuffer(head[4:], dtype=">u4").tolist())
        if said > MOST_BYTES:
            raise OSError(f"it says that it has {said:,} bytes, and at most {MOST_BYTES:,} are read")
        return head + file.read(said + 1)
