"""The images of a test: prepared ones, and the files they were made from."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from ablations.errors import DataError
from ablations.planning.networks.data_spec import DataSpec
from ablations.planning.networks.views import Views
from ablations.running.data import prepare
from ablations.running.testing.image_sources import own_images
from tests.ablations.running.data import torchvision_files as files

SIZES = ((40, 24), (24, 40), (32, 32))


@pytest.fixture
def folder(tmp_path: Path) -> DataSpec:
    """Images of two classes and three shapes, each of one colour, in ImageNet's layout."""
    for part in ("train", "val"):
        for label, kind in enumerate(("cat", "dog")):
            (tmp_path / "images" / part / kind).mkdir(parents=True)
            for index, size in enumerate(SIZES):
                image = Image.new("RGB", size, (100 * label + index, 0, 0))
                image.save(tmp_path / "images" / part / kind / f"{index}.png")
    return DataSpec(name="image-folder", path=str(tmp_path / "images"), size=14)


def test_several_crops_are_of_the_files_in_the_order_of_the_labels(folder: DataSpec, tmp_path: Path) -> None:
    data = prepare(folder, tmp_path / "data")
    found = own_images(folder, data, Views(10))
    blocks = list(found.blocks())
    assert found.original
    assert found.digest == data.digest
    assert [tuple(block.shape[1:3]) for block in blocks] == 2 * [(24, 40), (40, 24), (32, 32)]
    assert [int(block[0, 0, 0, 0]) for block in blocks] == [0, 1, 2, 100, 101, 102]
    assert found.labels.tolist() == [0, 0, 0, 1, 1, 1]


def test_one_crop_is_of_the_prepared_images(folder: DataSpec, tmp_path: Path) -> None:
    data = prepare(folder, tmp_path / "data")
    (tmp_path / "images").rename(tmp_path / "elsewhere")
    [block] = own_images(folder, data, Views()).blocks()
    assert block.shape == (6, 14, 14, 3)


def test_files_that_are_gone_or_changed_are_refused(folder: DataSpec, tmp_path: Path) -> None:
    data = prepare(folder, tmp_path / "data")
    Image.new("RGB", (30, 30)).save(tmp_path / "images" / "val" / "cat" / "3.png")
    with pytest.raises(DataError, match=r"has other files, or files of other sizes since .* --refresh"):
        own_images(folder, data, Views(5))
    (tmp_path / "images").rename(tmp_path / "elsewhere")
    with pytest.raises(DataError, match="they are not there"):
        own_images(folder, data, Views(5))


def test_torchvision_reads_its_own_files(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    files.gtsrb(tmp_path / "files")
    spec = DataSpec(name="gtsrb", size=16)
    data = prepare(spec, tmp_path / "data", tmp_path / "files")
    blocks = list(own_images(spec, data, Views(size=24)).blocks())
    assert [tuple(block.shape) for block in blocks] == 3 * [(1, 33, 33, 3)]
    assert [int(block[0, 0, 0, 0]) for block in blocks] == files.levels("test")
