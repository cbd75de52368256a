"""One adapter for all of torchvision's classes: labels first, then the images as a stream, as from any other source."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np

from ablations.errors import DataError
from ablations.planning.networks.datasets import Dataset
from ablations.planning.networks.torchvision_sets import TorchvisionSet
from ablations.running.data.images import Cropped, Decode, Exact, in_threads
from ablations.running.data.raw_dataset import Block, Labels, RawDataset, check_labels
from ablations.running.data.torchvision_sets.idx_files import idx_files, lay_out
from senet_core.errors import UserError, one_line

_LABELS = ("targets", "labels", "_labels")
_SAMPLES = ("_samples", "samples")


def read_torchvision(
    known: Dataset, root: Path, size: int | None, command: str, *, download: bool = False
) -> RawDataset:
    """Return a data set that torchvision's class for it reads.

    Images of one size are kept as they are. Of images of many sizes the short side becomes `size` x 8/7, rounded; test
    images are the central square of `size`, training images the larger central square, so that random crops differ.

    Args:
        known: the data set.
        root: the folder that torchvision calls `root`.
        size: side in pixels, for images of many sizes; None for the others.
        command: that prepares it, for messages.
        download: whether torchvision downloads what is missing in `root`.

    Raises:
        DataError: files are missing or damaged, or the download failed.
    """
    asked = known.torchvision
    assert asked is not None
    if download and not asked.downloads:
        raise DataError(f"torchvision does not download {known.name!r}: {_wanted(asked, command)}")
    parts = _opened_as_published(known, asked, root, command, download)
    decode = _decoders(known, size)
    labels = {part: _labels_of(dataset) for part, dataset in parts.items()}
    classes = _class_names(parts["train"], known)
    for part, found in labels.items():
        if len(found) == 0:
            raise DataError(f"{root} has no images of {known.name!r} in its {part} part")
        check_labels(found, len(classes), f"{root}, {part} part of {known.name}")

    def blocks() -> Iterator[Block]:
        for part, dataset in parts.items():
            one = _reader(dataset, part, labels[part], decode[part], known.name)
            numbers = iter(range(len(labels[part])))
            yield from in_threads(one, numbers) if decode[part].in_threads else map(one, numbers)

    return RawDataset(
        classes=classes,
        train_labels=labels["train"],
        test_labels=labels["test"],
        train_shape=decode["train"].shape,
        test_shape=decode["test"].shape,
        source=f"{root}, read by torchvision's {asked.kind}",
        note=_note(known, len(labels["train"]), len(labels["test"]), decode),
        blocks=blocks,
    )


def class_of(asked: TorchvisionSet) -> Callable[..., Any]:
    """Return torchvision's class.

    Raises:
        UserError: this version of torchvision has none of its name.
    """
    if asked.kind == "TinyImageNet":
        from ablations.running.data.torchvision_sets.tiny_imagenet import TinyImageNet

        return TinyImageNet
    import torchvision

    found: Callable[..., Any] | None = getattr(torchvision.datasets, asked.kind, None)
    if found is None:
        raise UserError(
            f"torchvision {torchvision.__version__} has no data set {asked.kind}; a newer one may"
        )
    return found


def _opened_as_published(
    known: Dataset, asked: TorchvisionSet, root: Path, command: str, download: bool
) -> dict[str, Any]:
    """Return the class's two parts. IDX files are checked and unpacked before; the class reads them at once."""
    names = idx_files(root, *asked.files) if asked.idx and not download else ()
    with tempfile.TemporaryDirectory(prefix="idx-") if names else nullcontext(str(root)) as place:
        if names:
            lay_out(root, names, Path(place) / asked.files[0])
        return {
            part: _opened(known, asked, part, root, command, download, Path(place))
            for part in ("train", "test")
        }


def _opened(
    known: Dataset, asked: TorchvisionSet, part: str, root: Path, command: str, download: bool, place: Path
) -> Any:
    given = asked.arguments(part) | ({"download": True} if download else {})
    build = class_of(asked)
    try:
        return build(str(place), **given)
    except UserError:
        raise
    except (
        Exception
    ) as error:  # whatever the class, urllib, Pillow and scipy raise over missing or damaged files
        why = one_line(error)
        if download:
            raise DataError(f"the download of {known.name!r} to {root} failed: {why}") from error
        raise DataError(
            f"cannot read {known.name!r} from {root}: {why}; {_wanted(asked, command)}"
            + (f", or `{command} --download` to have torchvision download it" if asked.downloads else "")
        ) from error


def _wanted(asked: TorchvisionSet, command: str) -> str:
    files = ", ".join(asked.files) + (", or its IDX files, gzipped or not" if asked.idx else "")
    return f"`{command} --from FOLDER` takes a folder that holds {files}"


def _decoders(known: Dataset, size: int | None) -> dict[str, Decode]:
    if known.size is not None:
        return dict.fromkeys(("train", "test"), Exact(known.size, known.channels))
    assert size is not None  # DataSpec has checked it
    short = round(size * 8 / 7)
    return {"train": Cropped(short, short), "test": Cropped(short, size)}


def _labels_of(dataset: Any) -> Labels:
    """Return the labels that a class lists, so that no image has to be read for them."""
    for name in _LABELS:
        if (found := getattr(dataset, name, None)) is not None:
            return np.asarray(found, dtype=np.int64)
    for name in _SAMPLES:
        if (samples := getattr(dataset, name, None)) is not None:
            return np.array([label for _, label in samples], dtype=np.int64)
    return np.array([dataset[index][1] for index in range(len(dataset))], dtype=np.int64)


def _reader(dataset: Any, part: str, labels: Labels, decode: Decode, name: str) -> Callable[[int], Block]:
    def one(index: int) -> Block:
        where = f"{name}, {part} image {index}"
        try:
            image, label = dataset[index]
        except Exception as error:  # whatever Pillow and the class raise
            raise DataError(f"cannot read {where}: {one_line(error)}") from error
        if int(label) != labels[index]:
            raise DataError(f"{where} has label {label}, and torchvision lists {labels[index]}")
        return part, index, decode.of(image, where)[None]

    return one


def _class_names(dataset: Any, known: Dataset) -> tuple[str, ...]:
    """Return the names that a class has, or the numbers."""
    assert known.classes is not None  # all that torchvision reads have a number
    found = getattr(dataset, "classes", None) or range(known.classes)
    if len(found) != known.classes:
        raise DataError(f"{known.name!r} has {known.classes} classes, and {len(found)} are there")
    return tuple(", ".join(name) if isinstance(name, tuple | list) else str(name) for name in found)


def _note(known: Dataset, train: int, test: int, decode: dict[str, Decode]) -> str:
    notes = []
    if isinstance(decode["train"], Cropped):
        short, size = decode["train"].short, decode["test"].size
        notes.append(
            f"short side resized to {short} pixels, central square of {short} (training) and {size} (test) pixels"
        )
    if (train, test) != (known.train_images, known.test_images):
        notes.append(
            f"{train} training and {test} test images, the original has {known.train_images} and {known.test_images}"
        )
    return "; ".join(notes)
