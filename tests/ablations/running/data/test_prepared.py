"""The prepared file: exact, shared, whole or absent, and refused when damaged."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import safetensors
import torch
from safetensors.torch import load_file, save_file

from ablations.planning.networks.data_spec import DataSpec
from ablations.running.data import Prepared, data_spec, load, open_prepared, prepare, verify
from ablations.running.data.prepared import digest_of
from ablations.running.data.raw_dataset import RawDataset, from_arrays
from ablations.running.data.writing import write
from ablations.running.machine.durable import DiskError
from senet_core.errors import UserError

Noise = Callable[..., np.ndarray]


def small(noise: Noise, labels: tuple[int, ...] = (0, 1, 1, 2, 0, 1, 1)) -> RawDataset:
    train = noise(len(labels), 5, 4, 3), np.array(labels)
    return from_arrays(("a", "b", "ç"), train, (noise(3, 5, 4, 3), np.array([2, 1, 0])), source="noise")


@pytest.fixture
def path(tmp_path: Path, noise: Noise) -> Path:
    file = tmp_path / "small.safetensors"
    write(file, "small", small(noise))
    return file


def test_what_was_written_is_read(path: Path, noise: Noise) -> None:
    data = load(path)
    assert torch.equal(data.train_images, torch.from_numpy(noise(7, 5, 4, 3)))
    assert data.train_labels.tolist() == [0, 1, 1, 2, 0, 1, 1]
    assert torch.equal(data.test_images, torch.from_numpy(noise(3, 5, 4, 3)))
    assert data.test_labels.tolist() == [2, 1, 0]
    assert (data.name, data.classes, data.num_classes) == ("small", ("a", "b", "ç"), 3)
    assert (data.source, data.note, data.image_shape) == ("noise", "", (3, 5, 4))
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_mean_and_deviation_are_those_of_the_training_images(path: Path, noise: Noise) -> None:
    data, images = load(path), noise(7, 5, 4, 3).astype(np.float64)
    np.testing.assert_allclose(data.mean, images.mean(axis=(0, 1, 2)), rtol=1e-12)
    np.testing.assert_allclose(data.std, images.std(axis=(0, 1, 2)), rtol=1e-12)


def test_images_of_one_colour_have_a_deviation_to_divide_by(tmp_path: Path) -> None:
    images, labels = np.full((2, 4, 4, 1), 9), np.array([0, 1])
    content = from_arrays(("a", "b"), (images, labels), (images, labels), source="")
    write(tmp_path / "flat", "flat", content)
    assert (load(tmp_path / "flat").mean, load(tmp_path / "flat").std) == ((9.0,), (1.0,))


def test_the_official_library_reads_the_file(path: Path, noise: Noise) -> None:
    tensors = load_file(path)
    assert sorted(tensors) == ["test_images", "test_labels", "train_images", "train_labels"]
    assert torch.equal(tensors["train_images"], torch.from_numpy(noise(7, 5, 4, 3)))


def test_opening_maps_the_file_instead_of_reading_it(tmp_path: Path) -> None:
    images = np.zeros((2000, 64, 64, 3), dtype=np.uint8)
    labels = np.arange(2000) % 2
    big = from_arrays(("a", "b"), (images, labels), (images[:2], labels[:2]), source="")
    write(tmp_path / "big", "big", big)
    maps = Path("/proc/self/maps")
    if not maps.exists():
        pytest.skip("this system does not list mapped files")
    data = load(tmp_path / "big")
    assert str(tmp_path / "big") in maps.read_text()
    assert len(data.train_images) == 2000


def test_equal_content_has_one_digest_and_any_change_another(tmp_path: Path, noise: Noise) -> None:
    content = small(noise)
    images = noise(7, 5, 4, 3)
    images[6, 4, 3, 2] ^= 1
    other_pixel = from_arrays(
        content.classes,
        (images, content.train_labels),
        (noise(3, 5, 4, 3), content.test_labels),
        source="noise",
    )
    changed = [
        content,
        replace(content, source="elsewhere", note="another"),
        replace(content, classes=("a", "b", "d")),
        replace(content, test_labels=np.array([2, 1, 1])),
        small(noise, (0, 1, 1, 2, 0, 1, 0)),
        other_pixel,
    ]
    digests = []
    for number, each in enumerate(changed):
        write(tmp_path / str(number), "x", each)
        digests.append(load(tmp_path / str(number)).digest)
    assert digests[0] == digests[1]
    assert len(set(digests)) == len(changed) - 1
    assert all(len(digest) == 64 for digest in digests)


def test_blocks_may_come_in_any_order(tmp_path: Path, path: Path, noise: Noise) -> None:
    images = {"train": noise(7, 5, 4, 3), "test": noise(3, 5, 4, 3)}
    order = [
        ("train", 6),
        ("test", 1),
        ("train", 0),
        ("test", 0),
        *(("train", i) for i in (3, 4, 5, 1, 2)),
        ("test", 2),
    ]
    blocks = lambda: ((part, i, images[part][i : i + 1]) for part, i in order)  # noqa: E731
    write(tmp_path / "mixed", "small", replace(small(noise), blocks=blocks))
    assert (tmp_path / "mixed").read_bytes() == path.read_bytes()


@pytest.mark.parametrize("keep", [0, 5, 100, 600, -1])
def test_a_truncated_file_is_refused(path: Path, keep: int) -> None:
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(UserError, match=r"small.safetensors is damaged .*; delete it and prepare it again$"):
        load(path)


def test_a_file_of_another_kind_is_refused(path: Path) -> None:
    save_file(dict(load_file(path)), path)
    with pytest.raises(UserError, match=r"is damaged .format None, expected 'senet-ablations data 1'"):
        load(path)


def test_a_file_of_a_newer_version_is_not_called_damaged(path: Path) -> None:
    save_file(dict(load_file(path)), path, {"format": "senet-ablations data 2"})
    with pytest.raises(
        UserError, match=r"made by another version: its format is 'senet-ablations data 2', this"
    ) as error:
        load(path)
    assert "is damaged" not in str(error.value)
    assert "delete it" not in str(error.value)


def test_a_file_without_images_is_refused(path: Path) -> None:
    with safetensors.safe_open(path, framework="pt") as handle:
        metadata = handle.metadata()
    save_file({"train_images": torch.zeros(1)}, path, metadata=metadata)
    with pytest.raises(UserError, match="is damaged"):
        load(path)


@pytest.mark.parametrize(
    ("key", "value"),
    [("train_labels", torch.zeros(6, dtype=torch.int64)), ("test_images", torch.zeros(3, 5, 4, 3))],
)
def test_tensors_that_do_not_fit_are_refused(path: Path, key: str, value: torch.Tensor) -> None:
    with safetensors.safe_open(path, framework="pt") as handle:
        metadata = handle.metadata()
    save_file({**load_file(path), key: value}, path, metadata=metadata)
    with pytest.raises(UserError, match=r"is damaged .(train|test) images"):
        load(path)


def test_labels_out_of_range_are_refused_on_opening(path: Path) -> None:
    with safetensors.safe_open(path, framework="pt") as handle:
        metadata = handle.metadata()
    save_file({**load_file(path), "test_labels": torch.tensor([0, 1, 3])}, path, metadata=metadata)
    with pytest.raises(UserError, match=r"label 3 is out of range; 3 classes allow 0\.\.2"):
        load(path)


def test_a_flipped_bit_is_found_by_the_digest(path: Path) -> None:
    verify(load(path))
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(UserError, match="its content does not match its digest"):
        verify(load(path))


def test_a_subset_can_be_verified_too(path: Path) -> None:
    subset = load(path).subset(3, 1)
    verify(subset)
    flipped = bytearray(path.read_bytes())
    flipped[-1] ^= 1  # in an image that is not in the subset
    (path.parent / "flipped").write_bytes(flipped)
    (path.parent / "flipped").replace(path)
    with pytest.raises(UserError, match="its content does not match its digest"):
        verify(subset)


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"there is no prepared data set at .*none; prepare its folder again"):
        load(tmp_path / "none")


def test_a_subset_takes_the_first_of_each_class_in_turn(path: Path) -> None:
    data = load(path)  # labels 0 1 1 2 0 1 1
    for count, expected in ((3, [0, 1, 3]), (5, [0, 1, 3, 4, 2]), (6, [0, 1, 3, 4, 2, 5])):
        assert torch.equal(data.subset(count).train_images, data.train_images[expected])
        assert torch.equal(data.subset(count).train_labels, data.train_labels[expected])
    assert data.subset(None, 2).test_labels.tolist() == [0, 1]
    assert data.subset(None, 2).train_images is data.train_images


def test_a_subset_of_itself_and_the_whole_are_the_same(path: Path) -> None:
    data = load(path)
    part = data.subset(4, 2)
    assert torch.equal(part.subset(4, 2).train_images, part.train_images)
    assert data.subset(7, 3).train_images is data.train_images
    assert (part.mean, part.digest) == (data.mean, data.digest)


@pytest.mark.parametrize(
    ("train", "test", "message"),
    [
        (2, None, "train_images must be between 3 and 7 for this data set, got 2"),
        (8, None, "train_images must be between 3 and 7 for this data set, got 8"),
        (None, 4, "test_images must be between 1 and 3 for this data set, got 4"),
        (None, 0, "test_images must be between 1 and 3 for this data set, got 0"),
    ],
)
def test_a_subset_that_cannot_be_had_is_refused(
    path: Path, train: int | None, test: int | None, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        load(path).subset(train, test)


def test_a_stream_that_ends_early_leaves_nothing(tmp_path: Path, noise: Noise) -> None:
    content = replace(small(noise), blocks=lambda: iter([("train", 0, noise(7, 5, 4, 3))]))
    with pytest.raises(UserError, match="noise changed while it was read"):
        write(tmp_path / "file", "small", content)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_keeps_the_old_file(path: Path, noise: Noise) -> None:
    old = path.read_bytes()
    with pytest.raises(UserError):
        write(path, "small", replace(small(noise), blocks=lambda: iter([])))
    assert path.read_bytes() == old
    assert len(list(path.parent.iterdir())) == 1


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(
        UserError,
        match=r"cannot write .*: there is a file where a folder should be; name another folder with ABLATE_DATA_DIR",
    ):
        prepare(data_spec("digits"), tmp_path / "data")


def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")  # file sizes can be limited on POSIX only
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        with pytest.raises(DiskError, match=r"cannot write .*digits.safetensors: File too large; make room"):
            prepare(data_spec("digits"), tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []


_OTHER_PROCESS = """
import sys
from pathlib import Path
from ablations.running.data import data_spec, prepare
prepare(data_spec("digits"), Path(sys.argv[1]))
print("ready", flush=True)
for _ in range(10):
    prepare(data_spec("digits"), Path(sys.argv[1]))
"""


def test_two_processes_that_prepare_at_once_both_end_well(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _OTHER_PROCESS, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "ready\n"
        for _ in range(10):
            verify(prepare(data_spec("digits"), tmp_path))
        assert other.wait() == 0
    assert [path.name for path in tmp_path.iterdir()] == ["digits.safetensors"]


def test_content_refuses_labels_that_name_no_class(noise: Noise) -> None:
    with pytest.raises(UserError, match="noise, training part: label 3 is out of range"):
        small(noise, (0, 1, 3))
    with pytest.raises(UserError, match="label -1 is out of range"):
        small(noise, (0, 1, -1))


def test_content_refuses_images_without_labels(noise: Noise) -> None:
    train = noise(4, 2, 2, 3), np.array([0, 1, 0])
    with pytest.raises(UserError, match="the training part has 4 images and 3 labels"):
        from_arrays(("a", "b"), train, train, source="noise")


def test_digest_does_not_depend_on_the_file(path: Path, noise: Noise) -> None:
    data = load(path)
    arrays = [np.array([0, 1, 1, 2, 0, 1, 1]), np.array([2, 1, 0]), noise(7, 5, 4, 3), noise(3, 5, 4, 3)]
    assert digest_of(("a", "b", "ç"), arrays) == data.digest


def test_digits_are_made_on_the_fly(tmp_path: Path) -> None:
    data = open_prepared(DataSpec(name="digits"), tmp_path / "new" / "folder")
    assert isinstance(data, Prepared)
    assert data.train_images.shape == (1297, 8, 8, 1)
    assert data.test_images.shape == (500, 8, 8, 1)
    assert data.test_labels.bincount().tolist() == [50] * 10
    assert (int(data.train_images.min()), int(data.train_images.max())) == (0, 255)
    assert data.classes == tuple("0123456789")
    assert data.image_shape == (1, 8, 8)
    verify(data)
