"""The images of a data set in a tree of files: train/CLASS/IMAGE and test/CLASS/IMAGE (or val/)."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ablations.errors import DataError
from ablations.running.data.junk import hidden, without_junk
from senet_core.words import counted

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".ppm", ".pgm", ".tif", ".tiff")
ByClass = dict[str, list[str]]
"""Names of images by class."""

TRAINING = ("train", "training")
TESTS = ("test", "testing"), ("val", "valid", "validation")
"""Names of the parts, in any case; of the test parts, the first that has class folders is taken."""


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
        said: what the user should know of what was found, a line each.
    """

    classes: tuple[str, ...]
    train: SplitFiles
    test: SplitFiles
    said: tuple[str, ...] = ()

    @property
    def from_jpeg(self) -> bool:
        """Whether any image is a JPEG file."""
        return any(name.lower().endswith((".jpg", ".jpeg")) for name in self.train.names + self.test.names)


def find_images(names: Sequence[str], origin: Path) -> ImageFiles:
    """Return the image files of a tree by split and class.

    The splits may lie below one top folder, and be called in other ways (`TRAINING`, `TESTS`). The test split is
    `test`, or `val` where `test` has no class folders (as in ImageNet, whose test images have no labels). Hidden files
    and what systems leave are ignored, and so is what lies beside the splits.

    Args:
        names: as a `FileTree` lists them.
        origin: the folder or archive, for messages.

    Raises:
        DataError: a split is missing or there twice, a class is empty or in one split only, or there is one class only;
            a file is not an image or not in a class folder.
    """
    visible = without_junk(names)
    top = _top(visible, origin)
    below = [name[len(top) :] for name in visible if name.startswith(top)]
    training = (
        _part(below, TRAINING, origin) or next(name for name in below if _is_in(name, TRAINING)).split("/")[0]
    )
    test_folder, unused = _test_folders(below, origin)
    train, test = (_by_class(below, split, origin) for split in (training, test_folder))
    _check_classes(train, test, (training, test_folder), origin)
    said = [f"{origin}: {test_folder}/ is the test part, and {unused}/ is not used"] if unused else []
    said += _hidden_words(names, (f"{top}{training}/", f"{top}{test_folder}/"), origin)
    said += [
        f"{origin}: {one!r} and {other!r} are two classes; their names differ in case, dots or spaces only"
        for one, other in _alike(train)
    ]
    return ImageFiles(tuple(sorted(train)), _split(train, top), _split(test, top), tuple(said))


def _hidden_words(names: Sequence[str], splits: tuple[str, str], origin: Path) -> list[str]:
    found = [name for name in hidden(names) if name.startswith(splits)]
    if not found:
        return []
    many = counted(len(found), "hidden file or folder", "hidden files or folders")
    return [f"{origin}: {many} not read, such as {found[0]!r}"]


def _alike(names: ByClass) -> list[tuple[str, str]]:
    seen: dict[str, str] = {}
    return [(seen[key], name) for name in sorted(names) if seen.setdefault(key := _plain(name), name) != name]


def _plain(name: str) -> str:
    """Return a name as Windows and macOS compare it: without case, and without dots and spaces at its end."""
    return name.casefold().rstrip(". ")


def _top(names: list[str], origin: Path) -> str:
    tops = ["", *sorted({name.split("/")[0] + "/" for name in names if "/" in name})]
    found = [
        top
        for top in tops
        if any(name.startswith(top) and _is_in(name[len(top) :], TRAINING) for name in names)
    ]
    if not found:
        raise DataError(
            f"{origin} has no folder 'train'; expected are images in train/CLASS/ and test/CLASS/"
        )
    if len(found) > 1 and found[0] != "":
        shown = ", ".join(found[:3])
        raise DataError(f"{origin} holds several data sets, in {shown}: give the folder of one")
    return found[0]


def _is_in(name: str, parts: Sequence[str]) -> bool:
    return "/" in name and name.split("/")[0].lower() in parts


def _part(names: list[str], parts: Sequence[str], origin: Path) -> str | None:
    """Return the folder that is a part, of all the ways to call it; None where there is none with class folders."""
    there = [name for name in names if _is_in(name, parts)]
    found = sorted({name.split("/")[0] for name in there if name.count("/") >= 2})
    if len(found) > 1:
        shown = " and ".join(map(repr, found))
        raise DataError(
            f"{origin} has {shown}, and they would be one part: rename or remove what is not meant"
        )
    return found[0] if found else None


def _test_folders(names: list[str], origin: Path) -> tuple[str, str]:
    """Return the folder of the test part, and that of one that is not used, or ""."""
    found = [part for part in (_part(names, parts, origin) for parts in TESTS) if part is not None]
    if not found:
        raise DataError(f"{origin} has no test part; expected are images in test/CLASS/ or val/CLASS/")
    return found[0], (found[1] if found[1:] else "")


def _by_class(names: list[str], split: str, origin: Path) -> ByClass:
    found: ByClass = {}
    folders: dict[str, str] = {}
    for name in names:
        pieces = name.split("/")
        if pieces[0] != split or pieces[1] == "":
            continue
        if len(pieces) != 3:
            raise DataError(
                f"{origin}: unexpected {name!r}; images belong in {split}/CLASS/, no higher and no deeper"
            )
        kind = unicodedata.normalize("NFC", pieces[1])
        if folders.setdefault(kind, pieces[1]) != pieces[1]:
            raise DataError(
                f"{origin}: two folders in {split}/ are called {kind!r}, in two codings: join them"
            )
        images = found.setdefault(kind, [])
        if pieces[2] and not name.lower().endswith(SUFFIXES):
            raise DataError(f"{origin}: {name!r} is not an image; accepted are {', '.join(SUFFIXES)}")
        if pieces[2]:
            images.append(name)
    return found


def _check_classes(train: ByClass, test: ByClass, parts: tuple[str, str], origin: Path) -> None:
    first, second = parts
    for split, other, here, there in ((first, second, train, test), (second, first, test, train)):
        alone = sorted(set(here) - set(there))
        if alone:
            more = f" and {len(alone) - 3} more" if len(alone) > 3 else ""
            shown = ", ".join(repr(name) for name in alone[:3])
            like = next((name for name in sorted(there) if _plain(name) == _plain(alone[0])), None)
            hint = "" if like is None else f"; there it is {like!r}"
            raise DataError(
                f"{origin}: the classes differ: {shown}{more} in {split}/ but not in {other}/{hint}"
            )
        for name, images in sorted(here.items()):
            if not images:
                raise DataError(f"{origin}: the class folder '{split}/{name}' holds no image")
    if len(train) < 2:
        raise DataError(f"{origin}: at least 2 classes are needed, found only {next(iter(train))!r}")


def _split(by_class: ByClass, top: str) -> SplitFiles:
    # by the names in one coding, so that a copy on macOS has the same order
    pairs = [
        (top + name, label)
        for label, kind in enumerate(sorted(by_class))
        for name in sorted(by_class[kind], key=lambda name: (unicodedata.normalize("NFC", name), name))
    ]
    return SplitFiles(tuple(name for name, _ in pairs), tuple(label for _, label in pairs))
