"""Find the images of a data set in a tree of files: train/CLASS/IMAGE and test/CLASS/IMAGE (or val/)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from senet_core.errors import UserError

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".ppm", ".pgm", ".tif", ".tiff")
ByClass = dict[str, list[str]]
"""Names of images by class."""


@dataclass(frozen=True)
class Part:
    """One part of a data set: names of the images, by class then name, and their labels."""

    names: tuple[str, ...]
    labels: tuple[int, ...]


@dataclass(frozen=True)
class Layout:
    """Which file is which image.

    Attributes:
        classes: names of the class folders, sorted; a label is an index into them. CIFAR-10's and CIFAR-100's
            official order of classes is the sorted one.
        train: the training part.
        test: the test part.
        parts: names of the two folders.
    """

    classes: tuple[str, ...]
    train: Part
    test: Part
    parts: tuple[str, str]

    @property
    def from_jpeg(self) -> bool:
        """Whether any image is a JPEG file."""
        return any(name.lower().endswith((".jpg", ".jpeg")) for name in self.train.names + self.test.names)


def find_images(names: Sequence[str], origin: Path) -> Layout:
    """Sort the files of a tree into parts and classes.

    The parts may lie below one top folder. The test part is `test`, or `val` where `test` has no class
    folders (as in ImageNet, whose test images have no labels). Hidden files are ignored, and so is what lies
    beside the parts.

    Args:
        names: as a `Source` lists them.
        origin: the folder or archive, for messages.

    Raises:
        UserError: a part is missing, a class is empty or in one part only, there is one class only, or a file
            is not an image or not in a class folder.
    """
    visible = [name for name in names if not _hidden(name)]
    top = _top(visible, origin)
    below = [name[len(top) :] for name in visible if name.startswith(top)]
    test_part = _test_part(below, origin)
    train, test = (_by_class(below, part, origin) for part in ("train", test_part))
    _check_classes(train, test, test_part, origin)
    classes = tuple(sorted(train))
    return Layout(classes, _part(train, classes, top), _part(test, classes, top), ("train", test_part))


def _hidden(name: str) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in name.split("/"))


def _top(names: list[str], origin: Path) -> str:
    for top in ("", *sorted({name.split("/")[0] + "/" for name in names if "/" in name})):
        if any(name.startswith(f"{top}train/") for name in names):
            return top
    raise UserError(f"{origin} has no folder 'train'; expected are images in train/CLASS/ and test/CLASS/")


def _test_part(names: list[str], origin: Path) -> str:
    for part in ("test", "val"):
        if any(name.startswith(f"{part}/") and name.count("/") >= 2 for name in names):
            return part
    raise UserError(f"{origin} has no test part; expected are images in test/CLASS/ or val/CLASS/")


def _by_class(names: list[str], part: str, origin: Path) -> ByClass:
    found: ByClass = {}
    for name in names:
        pieces = name.split("/")
        if pieces[0] != part or pieces[1] == "":
            continue
        if len(pieces) != 3:
            raise UserError(
                f"{origin}: unexpected {name!r}; images belong in {part}/CLASS/, no higher and no deeper"
            )
        images = found.setdefault(pieces[1], [])
        if pieces[2] and not name.lower().endswith(SUFFIXES):
            raise UserError(f"{origin}: {name!r} is not an image; accepted are {', '.join(SUFFIXES)}")
        if pieces[2]:
            images.append(name)
    return found


def _check_classes(train: ByClass, test: ByClass, test_part: str, origin: Path) -> None:
    for part, other, here, there in (("train", test_part, train, test), (test_part, "train", test, train)):
        alone = sorted(set(here) - set(there))
        if alone:
            more = f" and {len(alone) - 3} more" if len(alone) > 3 else ""
            shown = ", ".join(repr(name) for name in alone[:3])
            raise UserError(f"{origin}: the classes differ: {shown}{more} in {part}/ but not in {other}/")
        for name, images in sorted(here.items()):
            if not images:
                raise UserError(f"{origin}: the class folder '{part}/{name}' holds no image")
    if len(train) < 2:
        raise UserError(f"{origin}: at least 2 classes are needed, found only {next(iter(train))!r}")


def _part(by_class: ByClass, classes: tuple[str, ...], top: str) -> Part:
    pairs = [(top + name, label) for label, kind in enumerate(classes) for name in sorted(by_class[kind])]
    return Part(tuple(name for name, _ in pairs), tuple(label for _, label in pairs))
