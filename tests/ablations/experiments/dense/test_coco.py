"""Data in COCO's format: what is read, and one line for whatever is wrong with it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from ablations.errors import DataError
from ablations.experiments.dense.coco import CocoSplit, check_same_categories, read_split
from ablations.experiments.dense.images import read_image
from ablations.experiments.detection.attempt import example_of, flipped
from ablations.experiments.segmentation.attempt import PASSED, class_map
from ablations.experiments.segmentation.attempt import example_of as segmented

FILE = "annotations/instances_train.json"
Change = Callable[[dict[str, Any]], object]


def changed(shapes: Path, folder: Path, change: Change) -> Path:
    """Return a copy of the data whose annotations were changed."""
    shutil.copytree(shapes, folder)
    content = json.loads((folder / FILE).read_text(encoding="utf-8"))
    change(content)
    (folder / FILE).write_text(json.dumps(content), encoding="utf-8")
    return folder


def read(folder: Path) -> CocoSplit:
    return read_split(folder, "train", FILE)


def first(content: dict[str, Any], **fields: Any) -> None:
    content["annotations"][0].update(fields)


def test_what_was_drawn_is_read(shapes: Path) -> None:
    split = read(shapes)
    content = json.loads((shapes / FILE).read_text(encoding="utf-8"))
    assert [image.id for image in split.images] == list(range(1, 9))
    assert sum(map(len, split.annotations)) == len(content["annotations"])
    assert split.categories == {1: "disc", 2: "square", 3: "triangle"}
    assert split.labels == {1: 1, 2: 2, 3: 3}
    empty = [number for number, one in enumerate(split.annotations) if not one]
    assert empty, "an image without boxes belongs to the drawn ones"
    image, target = example_of(split, empty[0], masks=True)
    assert image.shape == (3, 64, 64)
    assert (target["boxes"].shape, target["labels"].shape, target["masks"].shape) == (
        (0, 4),
        (0,),
        (0, 64, 64),
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda c: c.pop("images"), "has no list of objects 'images'"),
        (lambda c: c.update(categories=[]), "'categories' is empty"),
        (lambda c: c["images"][0].pop("width"), "image 1: 'width' must be a whole number, got None"),
        (lambda c: c["images"][0].update(file_name="../1.png"), "'file_name' must be a path inside of"),
        (lambda c: c["images"][0].update(file_name="none.png"), "has no image 'none.png'"),
        (lambda c: c["images"].append(c["images"][0]), "image 1 is there twice"),
        (
            lambda c: first(c, category_id=9),
            "annotation 1: there is no category 9; there are 1 disc, 2 square, 3",
        ),
        (lambda c: first(c, image_id=99), "annotation 1: there is no image 99"),
        (
            lambda c: first(c, bbox=[1, 2, 3]),
            "annotation 1: 'bbox' must be [x, y, width, height] in pixels, got [1, 2, 3]",
        ),
        (lambda c: first(c, bbox=[1, 2, -3, 4]), "annotation 1: a box has no negative width or height"),
        (lambda c: first(c, bbox=[70, 2, 3, 4]), "lies outside of image"),
        (lambda c: first(c, iscrowd=2), "annotation 1: 'iscrowd' must be 0 or 1, got 2"),
        (lambda c: c["annotations"].append(c["annotations"][0]), "annotation 1 is there twice"),
    ],
)
def test_what_is_wrong_is_one_line(change: Change, said: str, shapes: Path, tmp_path: Path) -> None:
    folder = changed(shapes, tmp_path / "shapes", change)
    with pytest.raises(DataError) as caught:
        read(folder)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(tmp_path) in str(caught.value)


def test_a_file_that_is_no_json_and_one_that_is_not_there(shapes: Path, tmp_path: Path) -> None:
    folder = changed(shapes, tmp_path / "shapes", lambda c: None)
    (folder / FILE).write_text("{", encoding="utf-8")
    with pytest.raises(DataError, match=r"instances_train.json: is no JSON: "):
        read(folder)
    (folder / FILE).unlink()
    with pytest.raises(DataError, match=r"there is no file of annotations .*instances_train.json"):
        read(folder)
    shutil.rmtree(folder / "train")
    with pytest.raises(DataError, match="there is no file"):
        read(folder)


def test_a_box_is_clipped_to_its_image_and_one_without_area_is_left_out(shapes: Path, tmp_path: Path) -> None:
    def change(content: dict[str, Any]) -> None:
        square = {"category_id": 2, "area": 1, "iscrowd": 0}
        content["annotations"] = [
            {"id": 0, "image_id": 1, "bbox": [-5, 60, 20, 10], **square},
            {"id": 7, "image_id": 1, "bbox": [3, 3, 0, 9], **square},
            {"id": 8, "image_id": 1, "bbox": [3, 3, 9, 9], **square, "iscrowd": 1},
        ]

    split = read(changed(shapes, tmp_path / "shapes", change))
    _, target = example_of(split, 0, masks=False)
    assert target["boxes"].tolist() == [[0, 60, 15, 64]]
    assert split.without_area == 1
    assert "1 of no area, left out of training" in str(split)
    assert [one["id"] for one in split.annotations[0]] == [1, 2, 3]


def test_an_image_of_another_size_than_said_is_refused(shapes: Path, tmp_path: Path) -> None:
    split = read(changed(shapes, tmp_path / "shapes", lambda c: c["images"][0].update(width=65)))
    with pytest.raises(DataError, match="has 64x64 pixels, and the annotations say 65x64"):
        read_image(split.images[0])
    (tmp_path / "shapes/train/000002.png").write_bytes(b"none")
    with pytest.raises(DataError, match=r"cannot read image .*000002.png"):
        read_image(split.images[1])


def test_splits_need_the_same_categories(shapes: Path, tmp_path: Path) -> None:
    other = read(changed(shapes, tmp_path / "shapes", lambda c: c["categories"][2].update(name="cone")))
    with pytest.raises(DataError, match=r"category 3 is 'triangle' in .* and 'cone' in .*need the same ones"):
        check_same_categories(read(shapes), other)


def test_the_digest_is_of_annotations_and_images(shapes: Path, tmp_path: Path) -> None:
    same = changed(shapes, tmp_path / "same", lambda c: None)
    moved = changed(shapes, tmp_path / "moved", lambda c: first(c, bbox=[1, 1, 5, 5]))
    assert (
        read(same).digest == read(shapes).digest or (same / FILE).read_bytes() != (shapes / FILE).read_bytes()
    )
    before = read(same).digest
    assert read(moved).digest != before
    with (same / "train/000001.png").open("ab") as file:
        file.write(b"0")
    assert read(same).digest != before


def test_masks_boxes_and_images_are_mirrored_together(shapes: Path) -> None:
    split = read(shapes)
    number = next(n for n, one in enumerate(split.annotations) if one)
    image, target = example_of(split, number, masks=True)
    mirrored, other = flipped(image, target)
    assert torch.equal(mirrored.flip(-1), image)
    for box, mask in zip(other["boxes"], other["masks"], strict=True):
        columns = mask.any(dim=0).nonzero().flatten()
        assert box[0] == pytest.approx(float(columns[0]), abs=1.5)
        assert box[2] == pytest.approx(float(columns[-1]) + 1, abs=1.5)


def test_a_class_map_has_small_objects_over_large_ones_and_passes_crowds_over(
    shapes: Path, tmp_path: Path
) -> None:
    def box(x: int, y: int, side: int) -> list[list[int]]:
        return [[x, y, x + side, y, x + side, y + side, x, y + side]]

    def change(content: dict[str, Any]) -> None:
        content["annotations"] = [
            {"id": 1, "image_id": 1, "category_id": 3, "bbox": [20, 20, 10, 10], "area": 100, "iscrowd": 0},
            {"id": 2, "image_id": 1, "category_id": 1, "bbox": [10, 10, 40, 40], "area": 1600, "iscrowd": 0},
            {"id": 3, "image_id": 1, "category_id": 1, "bbox": [0, 0, 8, 8], "area": 64, "iscrowd": 1},
        ]
        for annotation, outline in zip(
            content["annotations"], (box(20, 20, 10), box(10, 10, 40), box(0, 0, 8)), strict=True
        ):
            annotation["segmentation"] = outline

    split = read(changed(shapes, tmp_path / "shapes", change))
    found = class_map(split, 0)
    assert (found[25, 25], found[15, 15], found[4, 4], found[60, 60]) == (3, 1, PASSED, 0)
    assert (found == 3).sum() == 100
    image, classes = segmented(split, 0, 80)
    assert image.shape == (3, 80, 80)
    assert (classes[31, 31], classes[18, 18]) == (3, 1)
