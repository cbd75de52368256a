"""Data in COCO's format: a folder of images and a JSON file of annotations, checked before anything is trained.

Format: cocodataset.org, "Data format", object detection. What is checked, and what is done with boxes that leave their
image, is in docs/detection.md.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ablations.errors import DataError
from senet_core.bounded import GIB, read_bounded
from senet_core.errors import one_line
from senet_core.words import counted

MOST_BYTES = 8 * GIB
"""Limit of a file of annotations."""

_LISTS = ("images", "annotations", "categories")


@dataclass(frozen=True)
class CocoImage:
    """One image.

    Attributes:
        id: in the file.
        path: of the image.
        width, height: in pixels, as the file says.
    """

    id: int
    path: Path
    width: int
    height: int


@dataclass(frozen=True)
class CocoSplit:
    """The images of one split with their annotations.

    Attributes:
        file: of the annotations.
        images: in the order of the file.
        annotations: by the image's number in `images`; as in the file, with `id` counted from 1, and with `area` and
            `iscrowd` where the file leaves them out.
        categories: id to name, by rising id.
        without_area: boxes that have no area inside of their image.
        digest: of the file, and of the names and sizes of the images.
    """

    file: Path
    images: tuple[CocoImage, ...]
    annotations: tuple[tuple[Mapping[str, Any], ...], ...]
    categories: Mapping[int, str]
    without_area: int
    digest: str

    @property
    def labels(self) -> Mapping[int, int]:
        """The id of each category to its number from 1; 0 is the background."""
        return {category: number for number, category in enumerate(self.categories, 1)}

    def check_outlines(self, what: str) -> None:
        """Refuse annotations without `segmentation`.

        Raises:
            DataError: with the first.
        """
        for one in self.annotations:
            for annotation in one:
                if not annotation.get("segmentation"):
                    raise DataError(
                        f"{self.file}: annotation {annotation['id']} has no segmentation, which {what} needs"
                    )

    def __str__(self) -> str:
        boxes = sum(map(len, self.annotations))
        empty = sum(not one for one in self.annotations)
        words = f"{counted(len(self.images), 'image')} with {counted(boxes, 'object')}"
        words += f", {empty:,} without any" if empty else ""
        return words + (
            f", {self.without_area:,} of no area, left out of training" if self.without_area else ""
        )


@dataclass
class _Reader:
    """The checks of one file, whose errors begin with its name."""

    file: Path
    without_area: int = 0
    sizes: dict[int, tuple[int, int]] = field(default_factory=dict)

    def wrong(self, problem: str) -> DataError:
        return DataError(f"{self.file}: {problem}")

    def content(self) -> tuple[dict[str, list[Any]], bytes]:
        try:
            text = read_bounded(self.file, MOST_BYTES)
            found = json.loads(text)
        except FileNotFoundError:
            raise DataError(f"there is no file of annotations {self.file}") from None
        except OSError as error:
            raise self.wrong(f"cannot be read: {error.strerror or error}") from error
        except (ValueError, RecursionError) as error:
            raise self.wrong(f"is no JSON: {one_line(error)}") from error
        if not isinstance(found, dict):
            raise self.wrong(f"must be an object with {', '.join(_LISTS)}, and is a {type(found).__name__}")
        for name in _LISTS:
            if not isinstance(found.get(name), list) or not all(isinstance(one, dict) for one in found[name]):
                raise self.wrong(f"has no list of objects {name!r}")
            if name != "annotations" and not found[name]:
                raise self.wrong(f"{name!r} is empty")
        return found, text

    def number(self, what: str, given: Mapping[str, Any], name: str) -> int:
        value = given.get(name)
        if type(value) is not int:
            raise self.wrong(f"{what}: {name!r} must be a whole number, got {value!r}")
        return value

    def categories(self, listed: Iterable[Mapping[str, Any]]) -> dict[int, str]:
        found: dict[int, str] = {}
        for given in listed:
            number = self.number("a category", given, "id")
            if number in found:
                raise self.wrong(f"category {number} is there twice")
            if not isinstance(given.get("name"), str):
                raise self.wrong(f"category {number}: 'name' must be a text, got {given.get('name')!r}")
            found[number] = given["name"]
        return dict(sorted(found.items()))

    def images(self, listed: Iterable[Mapping[str, Any]], folder: Path) -> tuple[list[CocoImage], str]:
        """Return the images, and a digest of their names and sizes on the disk."""
        there, found, state = _sizes_in(folder), [], hashlib.sha256()
        missing = []
        for given in listed:
            number = self.number("an image", given, "id")
            what = f"image {number}"
            if number in self.sizes:
                raise self.wrong(f"{what} is there twice")
            name = given.get("file_name")
            if not isinstance(name, str) or not name or os.path.isabs(name) or ".." in Path(name).parts:
                raise self.wrong(f"{what}: 'file_name' must be a path inside of {folder}, got {name!r}")
            sides = [self.number(what, given, side) for side in ("width", "height")]
            if min(sides) < 1:
                raise self.wrong(
                    f"{what}: width and height must be at least 1, got {sides[0]} and {sides[1]}"
                )
            size = there.get(name) if os.path.dirname(name) == "" else _size_of(folder / name)
            if size is None:
                missing.append(name)
            state.update(f"{name}\0{size}\0".encode(errors="surrogateescape"))
            self.sizes[number] = (sides[0], sides[1])
            found.append(CocoImage(number, folder / name, *sides))
        if missing:
            more = f" and {len(missing) - 1:,} more" if len(missing) > 1 else ""
            raise self.wrong(f"{folder} has no image {missing[0]!r}{more}")
        return found, state.hexdigest()

    def annotation(self, given: Mapping[str, Any], categories: Mapping[int, str]) -> dict[str, Any]:
        what = f"annotation {self.number('an annotation', given, 'id')}"
        image, category = (self.number(what, given, name) for name in ("image_id", "category_id"))
        if image not in self.sizes:
            raise self.wrong(f"{what}: there is no image {image}")
        if category not in categories:
            known = ", ".join(f"{number} {name}" for number, name in list(categories.items())[:5])
            raise self.wrong(
                f"{what}: there is no category {category}; there are {known}"
                + ", ..." * (len(categories) > 5)
            )
        box = given.get("bbox")
        if not isinstance(box, list) or len(box) != 4 or not all(_is_number(one) for one in box):
            raise self.wrong(f"{what}: 'bbox' must be [x, y, width, height] in pixels, got {box!r}")
        if box[2] < 0 or box[3] < 0:
            raise self.wrong(f"{what}: a box has no negative width or height, got {box!r}")
        x0, y0, x1, y1 = clipped(box, *self.sizes[image])
        if x1 < x0 or y1 < y0:
            width, height = self.sizes[image]
            raise self.wrong(
                f"{what}: the box {box!r} lies outside of image {image} of {width}x{height} pixels"
            )
        self.without_area += not (x1 > x0 and y1 > y0)
        area = given.get("area", box[2] * box[3])
        if not _is_number(area):
            raise self.wrong(f"{what}: 'area' must be a number of pixels, got {area!r}")
        if given.get("iscrowd", 0) not in (0, 1):
            raise self.wrong(f"{what}: 'iscrowd' must be 0 or 1, got {given['iscrowd']!r}")
        return {**given, "area": area, "iscrowd": given.get("iscrowd", 0)}


def read_split(folder: Path, images: str, annotations: str) -> CocoSplit:
    """Read a split and check all of it but the pixels.

    Args:
        folder: of the data.
        images: the folder of images, relative to it.
        annotations: the file, relative to it.

    Raises:
        DataError: something is missing or malformed, in one line.
    """
    reader = _Reader(folder / annotations)
    content, text = reader.content()
    categories = reader.categories(content["categories"])
    found, names = reader.images(content["images"], folder / images)
    place = {image.id: number for number, image in enumerate(found)}
    by_image: list[list[Mapping[str, Any]]] = [[] for _ in found]
    seen: set[int] = set()
    for number, given in enumerate(content["annotations"], 1):
        annotation = reader.annotation(given, categories)
        if annotation["id"] in seen:
            raise reader.wrong(f"annotation {annotation['id']} is there twice")
        seen.add(annotation["id"])
        # COCO's evaluation takes an object with id 0 for one that nothing has found
        by_image[place[annotation["image_id"]]].append({**annotation, "id": number})
    digest = hashlib.sha256(hashlib.sha256(text).digest() + names.encode()).hexdigest()
    annotated = tuple(tuple(one) for one in by_image)
    return CocoSplit(reader.file, tuple(found), annotated, categories, reader.without_area, digest)


def check_same_categories(train: CocoSplit, test: CocoSplit) -> None:
    """Refuse a test split whose categories are not those of the training split.

    Raises:
        DataError: with the first that differs.
    """
    for number in sorted({*train.categories, *test.categories}):
        one, other = train.categories.get(number), test.categories.get(number)
        if one != other:
            raise DataError(
                f"category {number} is {one!r} in {train.file} and {other!r} in {test.file}; both splits need the same"
                " ones"
            )


def data_digest(train: CocoSplit, test: CocoSplit) -> str:
    """Return one digest of both splits."""
    return hashlib.sha256(f"{train.digest}{test.digest}".encode()).hexdigest()


def clipped(box: list[float], width: int, height: int) -> tuple[float, float, float, float]:
    """Return [x, y, width, height] as left, top, right and bottom, the part inside of the image alone."""
    x, y, w, h = box
    return max(x, 0.0), max(y, 0.0), min(x + w, float(width)), min(y + h, float(height))


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _sizes_in(folder: Path) -> dict[str, int]:
    try:
        with os.scandir(folder) as entries:
            return {entry.name: entry.stat().st_size for entry in entries if entry.is_file()}
    except OSError as error:
        raise DataError(f"cannot read the folder of images {folder}: {error.strerror or error}") from error


def _size_of(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None
