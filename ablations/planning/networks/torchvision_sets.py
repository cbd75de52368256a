"""The data sets that torchvision has a class for: which class, how it is asked for its two parts, what it reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class TorchvisionSet:
    """How a data set is read by torchvision.

    Attributes:
        kind: name of the class in `torchvision.datasets`; "TinyImageNet" is ours, in torchvision's form.
        train: arguments that ask for the training images.
        test: arguments that ask for the test images, or where their labels are not published, the validation images.
        files: what must lie in the folder that torchvision calls `root`: files, or folders of them.
        downloads: whether the class can download them.
        idx: whether `files` is a folder of IDX files: these may also lie in `root` itself, gzipped or not.
    """

    kind: str
    train: tuple[tuple[str, Any], ...]
    test: tuple[tuple[str, Any], ...]
    files: tuple[str, ...]
    downloads: bool = True
    idx: bool = False

    def arguments(self, part: str) -> dict[str, Any]:
        """Return the arguments for "train" or "test"."""
        return dict(self.train if part == "train" else self.test)


def _split(
    kind: str, train: str, test: str, *files: str, downloads: bool = True, **both: Any
) -> TorchvisionSet:
    first, second = (tuple({"split": part, **both}.items()) for part in (train, test))
    return TorchvisionSet(kind, first, second, files, downloads)


def _flag(kind: str, *files: str, idx: bool = False, **both: Any) -> TorchvisionSet:
    first, second = (tuple({"train": part, **both}.items()) for part in (True, False))
    return TorchvisionSet(kind, first, second, files, idx=idx)


def _idx(kind: str, **both: Any) -> TorchvisionSet:
    return _flag(kind, f"{kind}/raw", idx=True, **both)


@dataclass(frozen=True)
class Published:
    """What is known of a data set before it is read.

    Attributes:
        classes: how many.
        size: side of its images in pixels; None where they have many sizes, and a study says one.
        channels: 1 for grey, 3 for RGB.
        train_images: images that the class has for training.
        test_images: images that it has for testing.
        read_by: how torchvision reads it.
    """

    classes: int
    size: int | None
    channels: int
    train_images: int
    test_images: int
    read_by: TorchvisionSet


_PLACES_FILES = (
    *("categories_places365.txt", "places365_train_standard.txt", "places365_val.txt"),
    *("data_256_standard", "val_256"),
)

TORCHVISION: Mapping[str, Published] = {
    "mnist": Published(10, 28, 1, 60_000, 10_000, _idx("MNIST")),
    "kmnist": Published(10, 28, 1, 60_000, 10_000, _idx("KMNIST")),
    "fashion-mnist": Published(10, 28, 1, 60_000, 10_000, _idx("FashionMNIST")),
    "emnist-balanced": Published(47, 28, 1, 112_800, 18_800, _idx("EMNIST", split="balanced")),
    "emnist-digits": Published(10, 28, 1, 240_000, 40_000, _idx("EMNIST", split="digits")),
    "usps": Published(10, 16, 1, 7_291, 2_007, _flag("USPS", "usps.bz2", "usps.t.bz2")),
    "svhn": Published(
        10, 32, 3, 73_257, 26_032, _split("SVHN", "train", "test", "train_32x32.mat", "test_32x32.mat")
    ),
    "stl10": Published(10, 96, 3, 5_000, 8_000, _split("STL10", "train", "test", "stl10_binary")),
    "tiny-imagenet": Published(
        200,
        64,
        3,
        100_000,
        10_000,
        _split("TinyImageNet", "train", "val", "tiny-imagenet-200", downloads=False),
    ),
    "gtsrb": Published(43, None, 3, 26_640, 12_630, _split("GTSRB", "train", "test", "gtsrb")),
    "imagenette": Published(10, None, 3, 9_469, 3_925, _split("Imagenette", "train", "val", "imagenette2")),
    "oxford-pets": Published(
        37, None, 3, 3_680, 3_669, _split("OxfordIIITPet", "trainval", "test", "oxford-iiit-pet")
    ),
    "flowers102": Published(102, None, 3, 1_020, 6_149, _split("Flowers102", "train", "test", "flowers-102")),
    "food101": Published(101, None, 3, 75_750, 25_250, _split("Food101", "train", "test", "food-101")),
    "dtd": Published(47, None, 3, 1_880, 1_880, _split("DTD", "train", "test", "dtd", partition=1)),
    "fgvc-aircraft": Published(
        100, None, 3, 6_667, 3_333, _split("FGVCAircraft", "trainval", "test", "fgvc-aircraft-2013b")
    ),
    "stanford-cars": Published(
        196, None, 3, 8_144, 8_041, _split("StanfordCars", "train", "test", "stanford_cars", downloads=False)
    ),
    "places365": Published(
        365,
        None,
        3,
        1_803_460,
        36_500,
        _split("Places365", "train-standard", "val", *_PLACES_FILES, small=True),
    ),
    "imagenet": Published(
        1000, None, 3, 1_281_167, 50_000, _split("ImageNet", "train", "val", "train", "val", downloads=False)
    ),
}
"""By the name that studies give; numbers as their authors publish them."""
