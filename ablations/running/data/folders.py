"""The images of a data set in a tree of files: train/CLASS/IMAGE and test/CLASS/IMAGE (or val/)."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ablations.errors import DataError

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".ppm", ".pgm", ".tif", ".tiff")
ByClass = dict[str, list[str]]
"""Names of images by class."""


@dataclass(frozen=True)
class SplitFiles:
    """The image files of one split, by class then name, and their labels."""

    names: tuple[str, ...]
    labels: tuple[int, ...]


@dataclass(frozen=True)
class ImageFiles:
    """The image files of a data set.

    Attributes:
        classes: names of the class folders, sorted; a label is an index into them. CIFAR-10's and CIFAR-100's
            official order of classes is the sorted one.
        train: the training split.
        test: the test split.
    """

    classes: tuple[str, ...]
    train: SplitFiles
    test: SplitFiles

    @property
    def from_jpeg(self) -> bool:
        """Whether any image is a JPEG file."""
        return any(name.lower().endswith((".jpg", ".jpeg")) for name in self.train.names + self.test.names)


def find_images(names: Sequence[str], origin: Path) -> ImageFiles:
    """Return the image files of a tree by split and class.

    The splits may lie below one top folder. The test split is `test`, or `val` where `test` has no class folders
    (as in ImageNet, whose test images have no labels). Hidden files are ignored, and so is what lies beside the
    splits.

    Args:
        names: as a `FileTree` lists them.
        origin: the folder or archive, for messages.

    Raises:
        DataError: a split is missing, a class is empty or in one split only, there is one class only, or a file is
            not an image or not in a class folder.
    """
    visible = seen(names)
    top = _top(visible, origin)
    below = [name[len(top) :] for name in visible if name.startswith(top)]
    test_folder = _test_folder(below, origin)
    train, test = (_by_class(below, split, origin) for split in ("train", test_folder))
    _check_classes(train, test, test_folder, origin)
    return ImageFiles(tuple(sorted(train)), _split(train, top), _split(test, top))


def seen(names: Sequence[str]) -> list[str]:
    """Return the names that are not hidden."""
    return [name for name in names if not _hidden(name)]


def _hidden(name: str) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in name.split("/"))


def _top(names: list[str], origin: Path) -> str:
    for top in ("", *sorted({name.split("/")[0] + "/" for name in names if "/" in name})):
        if any(name.startswith(f"{top}train/") for name in names):
            return top
    raise DataError(f"{origin} has no folder 'train'; expected are images in train/CLASS/ and test/CLASS/")


def _test_folder(names: list[str], origin: Path) -> str:
    for split in ("test", "val"):
        if any(name.startswith(f"{split}/") and name.count("/") >= 2 for name in names):
            return split
    raise DataError(f"{origin} has no test part; expected are images in test/CLASS/ or val/CLASS/")


def _by_class(names: list[str], split: str, origin: Path) -> ByClass:
    found: ByClass = {}
    for name in names:
        pieces = name.split("/")
        if pieces[0] != split or pieces[1] == "":
            continue
        if len(pieces) != 3:
            raise DataError(
                f"{origin}: unexpected {name!r}; images belong in {split}/CLASS/, no higher and no deeper"
            )
        images = found.setdefault(unicodedata.normalize("NFC", pieces[1]), [])
        if pieces[2] and not name.lower().endswith(SUFFIXES):
            raise DataError(f"{origin}: {name!r} is not an image; accepted are {', '.join(SUFFIXES)}")
        if pieces[2]:
            images.append(name)
    return found


def _check_classes(train: ByClass, test: ByClass, test_folder: str, origin: Path) -> None:
    for split, other, here, there in (
        ("train", test_folder, train, test),
        (test_folder, "train", test, train),
    ):
        alone = sorted(set(here) - set(there))
        if alone:
            more = f" and {len(alone) - 3} more" if len(alone) > 3 else ""
            shown = ", ".join(repr(name) for name in alone[:3])
            raise DataError(f"{origin}: the classes differ: {shown}{more} in {split}/ but not in {other}/")
        for name, images in sorted(here.items()):
            if not images:
                raise DataError(f"{origin}: the class folder '{split}/{name}' holds no image")
    if len(train) < 2:
        raise DataError(f"{origin}: at least 2 classes are needed, found only {next(iter(train))!r}")


def _split(by_class: ByClass, top: str) -> SplitFiles:
    pairs = [
        (top + name, label) for label, kind in enumerate(sorted(by_class)) for name in sorted(by_class[kind])
    ]
    return SplitFiles(tuple(name for name, _ in pairs), tuple(label for _, label in pairs))
