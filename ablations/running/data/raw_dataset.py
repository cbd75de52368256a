"""A data set as it is read from its source, before it is written to a prepared file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ablations.errors import DataError

if TYPE_CHECKING:
    from ablations.running.data.made_from import MadeFrom

Bytes = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]
Block = tuple[str, int, Bytes]
"""("train" or "test", index of the first image, images (n, H, W, C))."""


@dataclass(frozen=True)
class RawDataset:
    """A data set that was read: labels and shapes in memory, the images as a stream.

    Attributes:
        classes: names; a label is an index into them.
        train_labels: (N,), 0 to len(classes) - 1.
        test_labels: (M,), the same.
        train_shape: (H, W, C) of a training image.
        test_shape: (H, W, C) of a test image.
        source: where the images came from, for people.
        note: what a report must say about them; may be empty.
        blocks: starts the stream of blocks, which come in any order and together hold every image once.
        made_from: what is noted of the folder or archive; None for a download, and for digits.
    """

    classes: tuple[str, ...]
    train_labels: Labels
    test_labels: Labels
    train_shape: tuple[int, int, int]
    test_shape: tuple[int, int, int]
    source: str
    note: str
    blocks: Callable[[], Iterator[Block]]
    made_from: MadeFrom | None = None


def from_arrays(
    classes: tuple[str, ...],
    train: tuple[npt.NDArray[Any], npt.NDArray[Any]],
    test: tuple[npt.NDArray[Any], npt.NDArray[Any]],
    *,
    source: str,
    note: str = "",
) -> RawDataset:
    """Return the data set of images that are in memory.

    Args:
        classes: names of the classes.
        train: images (N, H, W, C) in 0..255 and labels (N,).
        test: the same for the test split.
        source: where they came from.
        note: what a report must say about them.

    Raises:
        DataError: images and labels differ in number, or a label names no class.
    """
    for split, (images, labels) in (("training", train), ("test", test)):
        if len(images) != len(labels) or len(labels) == 0:
            raise DataError(
                f"{source}: the {split} part has {len(images)} images and {len(labels)} labels; "
                "it needs at least one image and a label for each"
            )
        check_labels(labels, len(classes), f"{source}, {split} part")
    whole = {"train": train[0].astype(np.uint8, copy=False), "test": test[0].astype(np.uint8, copy=False)}
    return RawDataset(
        classes=classes,
        train_labels=train[1].astype(np.int64),
        test_labels=test[1].astype(np.int64),
        train_shape=train[0].shape[1:],
        test_shape=test[0].shape[1:],
        source=source,
        note=note,
        blocks=lambda: ((split, 0, block) for split, block in whole.items()),
    )


def check_labels(labels: npt.NDArray[Any], classes: int, where: str) -> None:
    """Check that every label names a class.

    Raises:
        DataError: a label is below 0, or not below the number of classes.
    """
    for label in (int(labels.min()), int(labels.max())):
        if not 0 <= label < classes:
            raise DataError(
                f"{where}: label {label} is out of range; {classes} classes allow 0..{classes - 1}"
            )
