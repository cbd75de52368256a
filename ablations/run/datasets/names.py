"""Which data sets are known by name, and where their prepared files stand."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from ablations.plan.trial import DataSpec
from senet_core.errors import UserError, unknown


@dataclass(frozen=True)
class Dataset:
    """What is known of a data set before it is read.

    Attributes:
        name: how studies call it.
        title: how a person calls it.
        classes: number of classes; None where the folders decide.
        size: side of an image in pixels; None where the study decides.
        channels: 1 for grey, 3 for RGB.
        train_images: images in the original training part; None where the folders decide.
        test_images: the same for the test part.
        downloadable: torchvision knows where to fetch it.
    """

    name: str
    title: str
    classes: int | None = None
    size: int | None = None
    channels: int = 3
    train_images: int | None = None
    test_images: int | None = None
    downloadable: bool = False


_ALL = (
    Dataset("digits", "scikit-learn's handwritten digits", 10, 8, 1, 1297, 500),
    Dataset("cifar10", "CIFAR-10", 10, 32, 3, 50_000, 10_000, downloadable=True),
    Dataset("cifar100", "CIFAR-100", 100, 32, 3, 50_000, 10_000, downloadable=True),
    Dataset("fashion-mnist", "Fashion-MNIST", 10, 28, 1, 60_000, 10_000, downloadable=True),
    Dataset("image-folder", "a folder of images in ImageNet's layout"),
)

DATASETS: dict[str, Dataset] = {known.name: known for known in _ALL}
"""Every data set a study may name."""


def dataset(name: str) -> Dataset:
    """Look up a data set.

    Raises:
        UserError: no data set has this name.
    """
    if name not in DATASETS:
        raise unknown("data set", name, DATASETS)
    return DATASETS[name]


def default_data_dir() -> Path:
    """Return the folder of the prepared files: ABLATE_DATA_DIR, else `data` in the working directory."""
    return Path(os.environ.get("ABLATE_DATA_DIR") or "data")


def prepared_path(spec: DataSpec, data_dir: Path) -> Path:
    """Say where the prepared file of a data set stands, whether it exists or not.

    Subset sizes play no part: a subset is taken from the whole file. For `image-folder` the name carries a
    hash of path and size, so that two folders, or two sizes of one, never share a file.

    Raises:
        UserError: the name is unknown, or an image folder lacks its path or size.
    """
    dataset(spec.name)
    if spec.name != "image-folder":
        return data_dir / f"{spec.name}.safetensors"
    folder, size = folder_and_size(spec)
    key = hashlib.sha256(json.dumps([str(folder), size]).encode()).hexdigest()[:12]
    return data_dir / f"{spec.name}-{key}.safetensors"


def folder_and_size(spec: DataSpec) -> tuple[Path, int]:
    """Return the absolute path and the image size (pixels) of an `image-folder`.

    Raises:
        UserError: one of them is missing or out of range.
    """
    if spec.path is None or spec.size is None:
        missing = "path" if spec.path is None else "size"
        raise UserError(f"data set 'image-folder' needs a path and a size in pixels; {missing} is missing")
    if spec.size < 1:
        raise UserError(f"the size of data set 'image-folder' must be at least 1 pixel, got {spec.size!r}")
    return Path(spec.path).expanduser().resolve(), spec.size
