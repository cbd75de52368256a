"""The prepared file of a data set: opening it, checking it, and taking a subset.

Each data set is one safetensors file, memory-mapped: opening it takes milliseconds, and the processes of one
machine share its pages. Tensors: `train_images` and `test_images` (uint8, N x H x W x C), `train_labels` and
`test_labels` (int64). Everything else is text in the header; nothing
in it is code.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from ablations.errors import DataError
from ablations.planning.commands import prepare_command
from ablations.planning.networks.datasets import DATASETS
from ablations.running.data.made_from import MadeFrom
from ablations.running.data.raw_dataset import check_labels
from senet_core.randomness import stream_seed

FORMAT = "senet-ablations data 1"
TENSORS = ("train_labels", "test_labels", "train_images", "test_images")


@dataclass(frozen=True, eq=False)
class Prepared:
    """A data set, ready to train on.

    Attributes:
        name: as studies give it.
        train_images: (N, H, W, C) uint8, memory mapped unless it is a subset.
        train_labels: (N,) int64, indices into `classes`.
        test_images: (M, H', W', C) uint8, on which a network is evaluated; smaller than the training images where
            those leave room for a crop. From `load_for_choosing` these are training images that were held back, and
            the file's test images are not in this value at all.
        test_labels: (M,) int64.
        classes: names of the classes.
        mean: of every channel, in units of 0..255, over the whole training split, also for a subset.
        std: the same for the standard deviation; at least 1.
        digest: sha256 of classes, labels and images of the whole file, also for a subset.
        source: where the images came from.
        note: what a report must say about them; may be empty.
        path: the prepared file.
        made_from: what was noted of the folder or archive when it was prepared; None for a download, for digits, and
            in files that were prepared before this was noted.
    """

    name: str
    train_images: Tensor
    train_labels: Tensor
    test_images: Tensor
    test_labels: Tensor
    classes: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    digest: str
    source: str
    note: str
    path: Path
    made_from: MadeFrom | None = None

    @property
    def num_classes(self) -> int:
        """Number of classes."""
        return len(self.classes)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(C, H, W) of what a network sees: a test image, or a training image after its crop."""
        height, width, channels = self.test_images.shape[1:]
        return channels, height, width

    def resampled(self, train_images: int, seed: int) -> Prepared:
        """Return training images that a seed draws, without replacement, classes in turn until there are enough.

        Every variant sees the same ones of a seed, and a smaller subset is part of a larger one.

        Args:
            train_images: how many, from one per class to one fewer than all.
            seed: the trial's.

        Raises:
            DataError: there are not more of them, or they are too few.
        """
        count, least = len(self.train_labels), self.num_classes
        if not least <= train_images < count:
            raise DataError(
                f"with resample: train, train_images must be between {least} and {count - 1} for this data set, got"
                f" {train_images!r}: seeds draw from {count:,}"
            )
        drawn = torch.Generator().manual_seed(stream_seed(seed, "training images"))
        order = torch.randperm(count, generator=drawn)
        chosen = order[in_turn(self.train_labels[order])[:train_images]]
        return replace(self, train_images=self.train_images[chosen], train_labels=self.train_labels[chosen])

    def subset(self, train_images: int | None = None, test_images: int | None = None) -> Prepared:
        """Return the first images of each class, classes in turn, until there are enough.

        The choice depends on nothing but the file, so every seed and every variant sees the same subset, a
        smaller subset is part of a larger one, and taking the same subset twice changes nothing.

        Args:
            train_images: how many, from one per class to all; None for all.
            test_images: how many, from one to all; None for all.

        Raises:
            DataError: more than there are, or too few.
        """
        fewer: dict[str, Any] = {}
        for split, count, least in (("train", train_images, self.num_classes), ("test", test_images, 1)):
            images, labels = getattr(self, f"{split}_images"), getattr(self, f"{split}_labels")
            if count is None or count == len(labels):
                continue
            if not least <= count <= len(labels):
                raise DataError(
                    f"{split}_images must be between {least} and {len(labels)} for this data set, got {count!r}"
                )
            chosen = in_turn(labels)[:count]
            fewer |= {f"{split}_images": images[chosen], f"{split}_labels": labels[chosen]}
        return replace(self, **fewer)


def load_for_choosing(path: Path, validation_images: int) -> Prepared:
    """Open a prepared file for a trial that takes part in a choice: test images and labels are not in what it gets.

    The last images of each class, classes in turn, are held back from the training split and take the place of the
    test images, cropped to their size from the centre. Which ones depends on nothing but the file. Means and
    deviations of the channels stay those of the whole training split.

    Args:
        path: of the prepared file.
        validation_images: how many to hold back: at least one per class, and leaving at least two.

    Raises:
        DataError: the file is missing, truncated or not one of ours, or has too few training images.
    """
    metadata, tensors, (height, width) = _read(path, ("train_labels", "train_images"))
    images, labels = tensors["train_images"], tensors["train_labels"]
    judged = {"test_images": images[:1], "test_labels": labels[:1]}  # in the place of what is not read
    whole = _checked(path, metadata, {**tensors, **judged})
    least, most = whole.num_classes, len(labels) - max(2, whole.num_classes)
    if not least <= validation_images <= most:
        raise DataError(
            f"validation_images must be between {least} and {most} for this data set, got {validation_images!r}"
        )
    from_the_end = len(labels) - 1 - in_turn(labels.flip(0))
    held, kept = from_the_end[:validation_images], from_the_end[validation_images:].sort().values
    top, left = (images.shape[1] - height) // 2, (images.shape[2] - width) // 2
    return replace(
        whole,
        train_images=images[kept],
        train_labels=labels[kept],
        test_images=images[held, top : top + height, left : left + width].contiguous(),
        test_labels=labels[held],
    )


def in_turn(labels: Tensor) -> Tensor:
    """Return all indices, ordered by rank within the class, then class."""
    values = labels.numpy()
    by_class = np.argsort(values, kind="stable")
    first = np.searchsorted(values[by_class], values[by_class])  # where each image's class starts in by_class
    rank = np.empty(len(values), dtype=np.int64)
    rank[by_class] = np.arange(len(values)) - first
    return torch.from_numpy(np.lexsort((values, rank)))


def load(path: Path) -> Prepared:
    """Open a prepared file, and check its header, file size, shapes and range of the labels.

    Raises:
        DataError: the file is missing, truncated, or not one of ours.
    """
    metadata, tensors, _ = _read(path, TENSORS)
    return _checked(path, metadata, tensors)


def _read(path: Path, names: Sequence[str]) -> tuple[Mapping[str, str], dict[str, Tensor], tuple[int, int]]:
    """Read the header, the named tensors, and height and width of the test images, which are not touched."""
    if not path.is_file():
        known = path.stem in DATASETS and not DATASETS[path.stem].asks
        make = f"make it: {prepare_command(path.stem, path.parent)}" if known else "prepare its folder again"
        raise DataError(f"there is no prepared data set at {path}; {make}")
    try:
        with safe_open(str(path), framework="pt") as handle:
            shape = handle.get_slice("test_images").get_shape()
            return (
                handle.metadata() or {},
                {name: handle.get_tensor(name) for name in names},
                (shape[1], shape[2]),
            )
    except (SafetensorError, OSError, IndexError) as error:
        raise damaged(path, str(error)) from error


def _checked(path: Path, metadata: Mapping[str, str], tensors: Mapping[str, Tensor]) -> Prepared:
    given = metadata.get("format")
    name, _, version = (given or "").rpartition(" ")
    if name == FORMAT.rpartition(" ")[0] and given != FORMAT and version.isdecimal():
        raise DataError(
            f"the prepared data set {path} was made by another version: its format is {given!r}, this version reads"
            f" {FORMAT!r}; it is not damaged: use that version, or prepare it again in another folder"
        )
    if given != FORMAT:
        raise damaged(path, f"format {given!r}, expected {FORMAT!r}")
    try:
        fields: dict[str, Any] = {key: metadata[key] for key in ("name", "digest", "source", "note")}
        fields["classes"] = tuple(str(name) for name in json.loads(metadata["classes"]))
        for key in ("mean", "std"):
            fields[key] = tuple(float(value) for value in json.loads(metadata[key]))
        if "made_from" in metadata:
            fields["made_from"] = MadeFrom.from_text(metadata["made_from"])
    except (KeyError, ValueError, TypeError) as error:
        raise damaged(path, f"unreadable header entry: {error}") from error
    for split in ("train", "test"):
        images, labels = tensors[f"{split}_images"], tensors[f"{split}_labels"]
        well_formed = images.dtype == torch.uint8 and labels.dtype == torch.int64
        if not (well_formed and images.ndim == 4 and labels.shape == images.shape[:1] and len(labels) > 0):
            raise damaged(path, f"{split} images {tuple(images.shape)}, labels {tuple(labels.shape)}")
        check_labels(labels.numpy(), len(fields["classes"]), str(path))
    return Prepared(path=path, **fields, **dict[str, Any](tensors))


def source_of(digest: str, data_dir: Path) -> str | None:
    """Return the folder of images from which data with this digest were prepared; None where they are not here."""
    for path in sorted(data_dir.glob("image-folder-*.safetensors")):
        with suppress(SafetensorError, OSError), safe_open(str(path), framework="pt") as handle:
            header = handle.metadata() or {}
            if header.get("digest") == digest:
                return header.get("source")
    return None


def damaged(path: Path, why: str) -> DataError:
    """Return the error for a prepared file that is not whole."""
    why = " ".join(why.split())
    return DataError(f"the prepared data set {path} is damaged ({why}); delete it and prepare it again")


def digest_of(classes: Sequence[str], arrays: Sequence[npt.NDArray[Any]]) -> str:
    """Return the identity of a data set's content: sha256 of class names, then dtype, shape and bytes of each array.

    Args:
        classes: names of the classes.
        arrays: contiguous, little-endian, in the order of `TENSORS`.
    """
    state = hashlib.sha256(json.dumps(list(classes)).encode())
    for array in arrays:
        state.update(f"{array.dtype.str} {array.shape}".encode())
        state.update(array.data.cast("B"))
    return state.hexdigest()
