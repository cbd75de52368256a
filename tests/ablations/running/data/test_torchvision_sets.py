"""Data sets that torchvision's classes read: what they give is what is prepared, and what is missing is said."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from inspect import signature
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ablations.errors import DataError
from ablations.planning.networks.data_spec import DataSpec
from ablations.planning.networks.datasets import DATASETS
from ablations.planning.networks.torchvision_sets import TORCHVISION
from ablations.running.data import Prepared, data_spec, ensure_prepared, load, prepare, refresh
from ablations.running.data.torchvision_sets.idx_files import idx_files, lay_out, parse_idx
from ablations.running.data.torchvision_sets.reading import class_of
from ablations.running.machine.durable import DiskError
from tests.ablations.running.data import torchvision_files as files

Write = Callable[[Path], None]

OF_ONE_SIZE: list[tuple[str, Write, int, int]] = [
    ("svhn", files.svhn, 32, 3),
    ("stl10", files.stl10, 96, 3),
    ("emnist-balanced", files.emnist, 28, 1),
    ("usps", files.usps, 16, 1),
    ("fashion-mnist", files.fashion_mnist, 28, 1),
]


@pytest.fixture(autouse=True)
def no_checksums(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let files pass that are not the published ones: SVHN's and STL-10's are known by their checksums."""
    for name in ("svhn", "stl10"):
        monkeypatch.setattr(f"torchvision.datasets.{name}.check_integrity", lambda *of_file: True)


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., Prepared]:
    """Write a data set's files and prepare it."""

    def make(name: str, write: Write, size: int | None = None) -> Prepared:
        root = tmp_path / "files"
        root.mkdir()
        write(root)
        return prepare(data_spec(name, size=size), tmp_path / "data", root)

    return make


@pytest.mark.parametrize(("name", "write", "size", "channels"), OF_ONE_SIZE)
def test_images_and_labels_are_those_in_the_files(
    made: Callable[..., Prepared], name: str, write: Write, size: int, channels: int
) -> None:
    found = made(name, write)
    assert found.path.name == f"{name}.safetensors"
    assert found.num_classes == DATASETS[name].classes
    for part in ("train", "test"):
        images, labels = getattr(found, f"{part}_images"), getattr(found, f"{part}_labels")
        assert images.shape == (files.COUNTS[part], size, size, channels)
        assert images.float().mean(dim=(1, 2, 3)).tolist() == files.levels(part)
        assert labels.tolist() == files.labels(part)
    assert "the original has" in found.note


def test_the_parts_of_tiny_imagenet_have_the_same_classes(made: Callable[..., Prepared]) -> None:
    found = made("tiny-imagenet", files.tiny_imagenet)
    assert found.classes[:3] == ("name 0", "name 1", "name 2")
    assert found.train_labels.tolist() == list(range(200))
    assert found.train_images[:4].float().mean(dim=(1, 2, 3)).tolist() == files.levels("train")
    assert found.test_labels.tolist() == files.labels("test")
    assert found.test_images.shape == (3, 64, 64, 3)


def test_images_of_many_sizes_are_made_to_one(made: Callable[..., Prepared]) -> None:
    found = made("oxford-pets", files.pets, 28)
    assert found.path.name == "oxford-pets-28.safetensors"
    assert found.train_images.shape == (37, 32, 32, 3), "room for a random crop"
    assert found.test_images.shape == (37, 28, 28, 3)
    assert found.classes[1] == "Breed 01"
    reds = found.test_images[..., 0].float().mean(dim=(1, 2))
    assert np.allclose(reds, 5 * found.test_labels, atol=3), "JPEG"
    assert "short side resized to 32 pixels" in found.note


def test_signs_are_read_from_their_list(made: Callable[..., Prepared]) -> None:
    found = made("gtsrb", files.gtsrb, 16)
    assert found.train_labels.tolist() == list(range(43))
    assert found.test_labels.tolist() == files.labels("test")
    assert found.classes[42] == "42"


def test_classes_have_the_names_that_torchvision_gives(made: Callable[..., Prepared]) -> None:
    assert made("fashion-mnist", files.fashion_mnist).classes[9] == "Ankle boot"


def test_idx_files_are_noted_wherever_they_lie(tmp_path: Path) -> None:
    """And a folder of them that is not for torchvision alone keeps its files."""
    files.fashion_mnist(tmp_path)
    spec, data_dir = DataSpec(name="fashion-mnist"), tmp_path / "data"
    before = sorted(path.name for path in tmp_path.iterdir())
    prepare(spec, data_dir, tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*before, "data", "notes.txt"])
    said: list[str] = []
    ensure_prepared(spec, data_dir, said.append)
    assert said == []
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(files.idx_labels("train"))
    with pytest.raises(DataError, match="was changed since it was prepared"):
        ensure_prepared(spec, data_dir)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "truncated, or no IDX file of 3 dimensions"),
        (files.idx_labels("train"), "truncated, or no IDX file of 3 dimensions"),
        (files.idx_images("train")[:-1], "truncated, or no IDX file of 3 dimensions"),
        (gzip.compress(files.idx_images("train"))[:-9], "Compressed file ended"),
        (struct.pack(">4B3I", 0, 0, 8, 3, 4, 14, 28) + bytes(4 * 14 * 28), "28x14 pixels; 28x28 are needed"),
    ],
    ids=["empty", "labels", "cut", "cut gzip", "other size"],
)
def test_a_damaged_idx_file_is_one_line(content: bytes, words: str, tmp_path: Path) -> None:
    files.fashion_mnist(tmp_path)
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(content)
    with pytest.raises(DataError, match=words) as refused:
        prepare(DataSpec(name="fashion-mnist"), tmp_path / "data", tmp_path)
    assert "\n" not in str(refused.value)
    assert not list((tmp_path / "data").glob("*.safetensors"))


def test_a_missing_idx_file_is_said_with_what_to_do(tmp_path: Path) -> None:
    files.fashion_mnist(tmp_path)
    (tmp_path / "train-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(
        DataError,
        match=r"cannot read 'fashion-mnist' from .*FashionMNIST/raw, or its IDX files, gzipped or not",
    ):
        prepare(DataSpec(name="fashion-mnist"), tmp_path / "data", tmp_path)


def test_where_idx_files_cannot_be_unpacked_is_said_in_one_line(tmp_path: Path) -> None:
    files.fashion_mnist(tmp_path)
    names = idx_files(tmp_path, "FashionMNIST/raw")
    with pytest.raises(DiskError, match=r"^cannot write the unpacked files [^\n]*Not a directory[^\n]*$"):
        lay_out(tmp_path, names, tmp_path / names[0] / "raw")


@pytest.mark.parametrize("cut", [2, 10, -1])
def test_a_truncated_idx_file_is_one_line(cut: int) -> None:
    for data in (files.idx_images("train"), gzip.compress(files.idx_images("train"))):
        with pytest.raises(DataError, match=r"^cannot read 'file': "):
            parse_idx(data[:cut], "file", 3)


def test_a_folder_may_hold_other_data_sets_beside(tmp_path: Path) -> None:
    """What lies beside is none of the source: the data set does not count as changed with it."""
    files.usps(tmp_path)
    spec, data_dir = DataSpec(name="usps"), tmp_path / "data"
    prepare(spec, data_dir, tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    said: list[str] = []
    ensure_prepared(spec, data_dir, said.append)
    assert said == []
    (tmp_path / "usps.t.bz2").write_bytes((tmp_path / "usps.bz2").read_bytes())
    with pytest.raises(DataError, match="was changed since it was prepared"):
        ensure_prepared(spec, data_dir)
    again, before = refresh(spec, data_dir)
    assert len(again.test_labels) == files.COUNTS["train"]
    assert before != again.digest


def test_what_is_missing_is_said_with_what_to_do(tmp_path: Path) -> None:
    spec, data_dir, root = DataSpec(name="oxford-pets", size=28), tmp_path / "data", tmp_path / "files"
    with pytest.raises(
        DataError, match=r"'oxford-pets' is not prepared .*--size 28.* --from FOLDER`.*oxford-iiit-pet"
    ):
        ensure_prepared(spec, data_dir)
    with pytest.raises(DataError, match="there is no folder"):
        prepare(spec, data_dir, root)
    root.mkdir()
    with pytest.raises(
        DataError, match=r"cannot read 'oxford-pets' from .*Dataset not found.* --download` to have"
    ):
        prepare(spec, data_dir, root)
    with pytest.raises(
        DataError, match=r"cannot read 'tiny-imagenet'.*No such file.*that holds tiny-imagenet-200$"
    ):
        prepare(DataSpec(name="tiny-imagenet"), data_dir, root)
    assert list(data_dir.glob("*.safetensors")) == []


def test_nothing_is_downloaded_that_torchvision_does_not_offer(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="torchvision does not download 'tiny-imagenet'"):
        prepare(DataSpec(name="tiny-imagenet"), tmp_path, download=True)


def test_a_download_is_asked_of_the_class_alone_by_the_flag(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from torchvision.datasets import USPS

    asked: list[bool] = []
    whole = USPS.__init__

    def listening(self: USPS, root: str, download: bool = False, **given: object) -> None:
        asked.append(download)
        if download and not asked[1:]:
            files.usps(Path(root))
        whole(self, root, **given)  # type: ignore[arg-type]

    monkeypatch.setattr(USPS, "__init__", listening)
    prepare(DataSpec(name="usps"), tmp_path, download=True)
    assert asked == [True, True]
    assert (tmp_path / "downloads" / "usps.bz2").exists()
    asked.clear()
    prepare(DataSpec(name="usps"), tmp_path, tmp_path / "downloads")
    assert asked == [False, False]


def test_a_damaged_image_is_named(made: Callable[..., Prepared]) -> None:
    def write(root: Path) -> None:
        files.pets(root)
        (root / "oxford-iiit-pet" / "images" / "breed_03_2.jpg").write_bytes(b"no image")

    with pytest.raises(DataError, match="cannot read oxford-pets, test image 3"):
        made("oxford-pets", write, 28)


def test_another_number_of_classes_is_refused(made: Callable[..., Prepared]) -> None:
    def write(root: Path) -> None:
        files.gtsrb(root)
        folder = root / "gtsrb" / "GTSRB" / "Training" / "00043"
        folder.mkdir()
        Image.new("RGB", (30, 30)).save(folder / "0.ppm")

    with pytest.raises(DataError, match=r"label 43 is out of range; 43 classes"):
        made("gtsrb", write, 16)


def test_equal_files_have_equal_digests(made: Callable[..., Prepared], tmp_path: Path) -> None:
    one = made("usps", files.usps)
    (tmp_path / "again").mkdir()
    files.usps(tmp_path / "again")
    other = prepare(DataSpec(name="usps"), tmp_path / "other", tmp_path / "again")
    assert load(other.path).digest == one.digest


@pytest.mark.parametrize("name", TORCHVISION)
def test_torchvision_has_each_class_and_its_arguments(name: str) -> None:
    asked = TORCHVISION[name].read_by
    given = signature(class_of(asked)).parameters
    free = any(parameter.kind is parameter.VAR_KEYWORD for parameter in given.values())
    for part in ("train", "test"):
        assert free or asked.arguments(part).keys() <= given.keys()
    offers = "download" in given or name.startswith("emnist")
    assert not asked.downloads or offers
