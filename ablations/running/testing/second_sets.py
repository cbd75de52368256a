"""Second test sets for networks that were trained on CIFAR: without its duplicates, and corrupted."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ablations.errors import DataError
from ablations.running.data.cifar import read_test_batch
from ablations.running.data.file_trees import open_file_tree
from ablations.running.testing.image_sources import ImagesToTest
from senet_core.errors import one_line, unknown

_BLOCK = 50
_SEVERITIES = 5

Bytes = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]


@dataclass(frozen=True)
class SecondSet:
    """A test set for networks that were trained on another's training images.

    Attributes:
        trained_on: name of the data set that they were trained on.
        corrupted: whether it is a folder of arrays, one for each corruption; else python batches.
        source: who made it.
    """

    trained_on: str
    corrupted: bool
    source: str


_CIFAIR = "Barz and Denzler 2020, arXiv:1902.00423: duplicates of training images are replaced"
_CORRUPTED = "Hendrycks and Dietterich 2019, arXiv:1903.12261: NAME.npy of five severities, and labels.npy"

SECOND_SETS = {
    "cifair10": SecondSet("cifar10", False, _CIFAIR),
    "cifair100": SecondSet("cifar100", False, _CIFAIR),
    "cifar10-c": SecondSet("cifar10", True, _CORRUPTED),
    "cifar100-c": SecondSet("cifar100", True, _CORRUPTED),
}
"""By name, behind which that of one corruption may stand: cifar10-c/fog."""


def second_images(name: str, path: Path, trained_on: str) -> tuple[ImagesToTest, ...]:
    """Return the images of a second test set; of a folder of corruptions, each by itself.

    Args:
        name: one of `SECOND_SETS`, or NAME/CORRUPTION.
        path: the folder as it is published, or for python batches also an archive.
        trained_on: name of the data set that the networks were trained on.

    Raises:
        UserError: there is no such set, or no such corruption.
        DataError: the files are missing or damaged, or the networks were trained on other classes.
    """
    base, _, corruption = name.partition("/")
    if base not in SECOND_SETS:
        raise unknown("test set", base, SECOND_SETS)
    known = SECOND_SETS[base]
    if known.trained_on != trained_on:
        raise DataError(
            f"{base!r} tests networks that were trained on {known.trained_on!r}, not {trained_on!r}"
        )
    if known.corrupted:
        return tuple(_corruptions(base, path, corruption))
    tree = open_file_tree(path)
    images, labels = read_test_batch(trained_on, tree, tree.names())
    return (_images(base, images, labels),)


def _corruptions(base: str, path: Path, wanted: str) -> Iterator[ImagesToTest]:
    if not (path / "labels.npy").is_file():
        raise DataError(
            f"{str(path)!r} has no labels.npy; expected is the folder of {base}: NAME.npy and labels.npy"
        )
    names = sorted(file.stem for file in path.glob("*.npy") if file.stem != "labels")
    if wanted and wanted not in names:
        raise unknown("corruption", wanted, names)
    labels = _array(path / "labels.npy").astype(np.int64)
    if labels.ndim != 1 or len(labels) == 0 or not 0 <= labels.min() <= labels.max() < _classes(base):
        raise DataError(f"{path / 'labels.npy'} does not hold a class from 0 for each image")
    for name in [wanted] if wanted else names:
        images = _array(path / f"{name}.npy")
        if images.dtype != np.uint8 or images.shape != (len(labels), 32, 32, 3):
            raise DataError(
                f"{path / f'{name}.npy'} holds {images.dtype} of the shape {images.shape};"
                f" bytes of the shape {(len(labels), 32, 32, 3)} are needed"
            )
        yield _images(f"{base}/{name}", images, labels, copies=_copies(labels))


def _classes(base: str) -> int:
    return 100 if base.startswith("cifar100") else 10


def _copies(labels: Labels) -> int:
    """Return 5 where the labels come five times over, as they do for five severities of the same images."""
    if len(labels) % _SEVERITIES:
        return 1
    severities = labels.reshape(_SEVERITIES, -1)
    return _SEVERITIES if (severities == severities[0]).all() else 1


def _array(path: Path) -> npt.NDArray[np.generic]:
    try:
        found = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"cannot read {path}: {one_line(error)}") from error
    if not isinstance(found, np.ndarray):
        raise DataError(f"cannot read {path}: it is no array")
    return found


def _images(name: str, images: npt.NDArray[np.generic], labels: Labels, copies: int = 1) -> ImagesToTest:
    digest = hashlib.sha256(f"{name} {images.shape}".encode())
    for start in range(0, len(images), 1000):
        digest.update(np.ascontiguousarray(images[start : start + 1000]).data.cast("B"))
    digest.update(np.ascontiguousarray(labels, dtype="<i8").data.cast("B"))
    return ImagesToTest(name, digest.hexdigest(), labels, _blocks(images), copies=copies)


def _blocks(images: npt.NDArray[np.generic]) -> Callable[[], Iterator[Tensor]]:
    starts = range(0, len(images), _BLOCK)
    return lambda: (torch.from_numpy(np.array(images[start : start + _BLOCK])) for start in starts)
