"""Data by name: from a user's images or a download to one file, or to one line that says what is wrong."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ablations.errors import DataError
from ablations.planning.networks.data_spec import DataSpec
from ablations.planning.networks.datasets import DATASETS
from ablations.running.data import (
    data_spec,
    ensure_prepared,
    open_prepared,
    prepare,
    prepared_path,
    verify,
)
from ablations.running.data.images import Cropped, Exact
from ablations.running.data.raw_dataset import from_arrays
from ablations.running.data.writing import write
from ablations.running.machine.durable import DiskError
from senet_core.errors import UserError

MakeTree = Callable[..., Path]
Pack = Callable[[Path, str], Path]
CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
DOWNLOAD = "ablations.running.data.preparation.fetch"


@pytest.mark.parametrize("top", [False, True])
@pytest.mark.parametrize("form", ["", "a.tar", "a.tar.gz", "a.tgz", "a.tar.xz", "a.zip"])
def test_every_form_of_one_tree_gives_the_same_data(
    tmp_path: Path, make_tree: MakeTree, pack: Pack, form: str, top: bool
) -> None:
    root = make_tree("outer/cifar" if top else "outer")
    outer = tmp_path / "outer"
    data = prepare(data_spec("cifar10"), tmp_path / "data", pack(outer, form) if form else outer)
    assert root.exists()
    assert data.classes == CIFAR10
    assert data.train_labels.tolist() == [label for label in range(10) for _ in range(3)]
    for image, label, index in zip(data.train_images, data.train_labels, [0, 1, 2] * 10, strict=True):
        assert image.shape == (32, 32, 3)
        assert image.unique(dim=0).shape[0] == 1
        assert image[0, 0].tolist() == [int(label), index, 0]
    assert data.test_images[:, 5, 5].tolist() == [[label, i, 100] for label in range(10) for i in range(2)]
    assert data.note == "30 training and 20 test images, the original has 50000 and 10000"
    verify(data)


def test_jpeg_files_are_noted(tmp_path: Path, make_tree: MakeTree) -> None:
    data = prepare(data_spec("cifar10"), tmp_path / "data", make_tree(suffix=".JPEG"))
    assert data.note.startswith(
        "images decoded from JPEG files; results are not comparable with the original data to the last tenth"
    )


def test_hidden_files_and_files_beside_the_parts_are_ignored(
    tmp_path: Path, make_tree: MakeTree, pack: Pack
) -> None:
    root = make_tree()
    for name in (
        ".DS_Store",
        "train/.hidden",
        "train/cat/._0000.png",
        "README.txt",
        "__MACOSX/train/cat/._x",
    ):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")
    for source in (root, pack(root, "a.zip")):
        assert len(prepare(data_spec("cifar10"), tmp_path / "data", source).train_labels) == 30


def break_tree(root: Path, how: str) -> None:
    cat = root / "train" / "cat"
    if how == "truncated":
        path = cat / "0001.png"
        path.write_bytes(path.read_bytes()[:60])
    elif how == "not an image":
        (cat / "0001.png").write_bytes(b"hello")
    elif how == "text":
        (cat / "notes.txt").write_text("")
    elif how == "loose":
        shutil.copy(cat / "0000.png", root / "train" / "loose.png")
    elif how == "deep":
        shutil.copytree(cat, cat / "more")
    elif how == "empty class":
        shutil.rmtree(cat)
        cat.mkdir()
    elif how == "class only in test":
        shutil.rmtree(cat)
    elif how == "class only in train":
        shutil.rmtree(root / "test" / "cat")
    elif how == "size":
        Image.new("RGB", (32, 31)).save(cat / "0001.png")
    elif how == "16 bits":
        Image.new("I;16", (32, 32)).save(cat / "0001.png")
    elif how == "no test":
        shutil.rmtree(root / "test")
    elif how == "no train":
        shutil.rmtree(root / "train")
    elif how == "nine classes":
        shutil.rmtree(cat)
        shutil.rmtree(root / "test" / "cat")


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("truncated", "cannot read the image 'train/cat/0001.png': "),
        (
            "not an image",
            "cannot read the image 'train/cat/0001.png': by its content it is none of JPEG, PNG",
        ),
        ("text", r"'train/cat/notes.txt' is not an image; accepted are \.jpg"),
        ("loose", "unexpected 'train/loose.png'; images belong in train/CLASS/"),
        ("deep", "unexpected 'train/cat/more/'; images belong in train/CLASS/"),
        ("empty class", "the class folder 'train/cat' holds no image"),
        ("class only in test", "the classes differ: 'cat' in test/ but not in train/"),
        ("class only in train", "the classes differ: 'cat' in train/ but not in test/"),
        ("size", "image 'train/cat/0001.png' is 32x31 pixels; 32x32 are needed"),
        ("16 bits", "image 'train/cat/0001.png' has pixels of mode I;16; 8 bits a channel needed"),
        ("no test", "tree has no test part; expected are images in test/CLASS/ or val/CLASS/"),
        ("no train", "tree has no folder 'train'; expected are images in train/CLASS/ and test/CLASS/"),
        ("nine classes", "tree has 9 classes; cifar10 has 10"),
    ],
)
def test_a_bad_tree_is_one_line_and_leaves_nothing(
    tmp_path: Path, make_tree: MakeTree, how: str, message: str
) -> None:
    root = make_tree()
    break_tree(root, how)
    with pytest.raises(UserError, match=message) as caught:
        prepare(data_spec("cifar10"), tmp_path / "data", root)
    assert "\n" not in str(caught.value)
    assert list((tmp_path / "data").glob("*")) == []
    assert list((tmp_path / "data").glob(".*")) == []


def test_one_class_is_refused(tmp_path: Path, make_tree: MakeTree) -> None:
    with pytest.raises(UserError, match="at least 2 classes are needed, found only 'cat'"):
        prepare(data_spec("cifar10"), tmp_path / "data", make_tree(classes=("cat",)))


def test_a_missing_source_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"there is no file or folder '.*nowhere'"):
        prepare(data_spec("cifar10"), tmp_path, tmp_path / "nowhere")


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA", "1", "CMYK"])
def test_images_of_every_mode_become_rgb(tmp_path: Path, mode: str) -> None:
    suffix = ".jpg" if mode == "CMYK" else ".png"
    Image.new("L", (4, 4), 255).convert("RGB").convert(mode).save(tmp_path / f"x{suffix}")
    pixels = Exact(4)((tmp_path / f"x{suffix}").read_bytes(), "x")
    assert pixels.shape == (4, 4, 3)
    assert pixels.min() >= 254


def test_a_palette_with_transparency_becomes_rgb_without_a_warning(tmp_path: Path) -> None:
    image = Image.new("P", (4, 4), 1)
    image.putpalette([0, 0, 0, 10, 20, 30])
    image.save(tmp_path / "x.png", transparency=b"\x00\xff")
    assert Exact(4)((tmp_path / "x.png").read_bytes(), "x")[0, 0].tolist() == [10, 20, 30]


def test_images_are_cut_from_the_centre_of_the_resized_image(tmp_path: Path) -> None:
    left = np.repeat(np.arange(64, dtype=np.uint8)[None, :, None], 32, axis=0).repeat(3, axis=2)
    Image.fromarray(left).save(tmp_path / "x.png")
    data = (tmp_path / "x.png").read_bytes()
    assert Cropped(32, 8)(data, "x")[0, :, 0].tolist() == list(range(28, 36))
    assert Cropped(16, 16)(data, "x").shape == (16, 16, 3)


@pytest.mark.parametrize("test_part", ["test", "val"])
def test_an_image_folder_keeps_room_for_the_crop(tmp_path: Path, make_tree: MakeTree, test_part: str) -> None:
    kinds = ("n2", "n10", "n1")
    root = make_tree(classes=kinds, parts=("train", test_part), counts=(40, 2), size=(50, 40))
    data = ensure_prepared(DataSpec(name="image-folder", path=str(root), size=14), tmp_path / "data")
    assert data.train_images.shape == (120, 16, 16, 3)
    assert data.test_images.shape == (6, 14, 14, 3)
    assert data.image_shape == (3, 14, 14)
    assert data.classes == ("n1", "n10", "n2")
    assert torch.equal(data.train_images[:, 8, 8, 0], 2 - data.train_labels)  # red is the place among `kinds`
    assert data.train_images[:, 8, 8, 1].tolist() == list(range(40)) * 3
    assert data.note.startswith("short side resized to 16 pixels")


def test_unlabelled_test_images_are_passed_over_for_val(tmp_path: Path, make_tree: MakeTree) -> None:
    root = make_tree(classes=("a", "b"), parts=("train", "val"))
    (root / "test").mkdir()
    Image.new("RGB", (8, 8)).save(root / "test" / "1.png")
    spec = DataSpec(name="image-folder", path=str(root), size=8)
    assert len(ensure_prepared(spec, tmp_path / "data").test_labels) == 4


def test_folders_and_sizes_do_not_share_a_file(tmp_path: Path) -> None:
    paths = {
        prepared_path(DataSpec(name="image-folder", path=path, size=size), tmp_path)
        for path in ("a", "b")
        for size in (8, 9)
    }
    assert len(paths) == 4
    one, same = (DataSpec(name="image-folder", path=path, size=8) for path in ("a", str(Path("a").resolve())))
    assert prepared_path(one, tmp_path) == prepared_path(same, tmp_path)


def test_an_image_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    spec = DataSpec(name="image-folder", path=str(tmp_path / "nowhere"), size=8)
    with pytest.raises(UserError, match=r"there is no file or folder '.*nowhere'"):
        ensure_prepared(spec, tmp_path)


@pytest.mark.parametrize("name", ["digits", "image-folder"])
def test_a_source_that_would_be_ignored_is_refused(tmp_path: Path, name: str) -> None:
    spec = DataSpec(name=name, **({"path": "x", "size": 8} if name == "image-folder" else {}))
    with pytest.raises(UserError, match=f"data set '{name}' takes no source; it"):
        prepare(spec, tmp_path, tmp_path)


def test_an_unknown_name_is_refused_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="unknown data set 'cifar-10'; did you mean 'cifar10'"):
        prepare(data_spec("cifar-10"), tmp_path)


def test_a_prepared_set_is_opened_as_the_subset_asked_for(
    tmp_path: Path, make_tree: MakeTree, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(data_spec("cifar10"), tmp_path / "data", make_tree())
    monkeypatch.setattr(DOWNLOAD, lambda *_: pytest.fail("no download is needed"))
    spec = DataSpec(name="cifar10", train_images=20, test_images=10)
    for data in (open_prepared(spec, tmp_path / "data"), ensure_prepared(spec, tmp_path / "data")):
        assert data.train_labels.tolist() == list(range(10)) * 2
        assert data.test_labels.tolist() == list(range(10))
        assert torch.equal(data.subset(20, 10).train_images, data.train_images)


def test_a_set_that_is_not_prepared_names_both_ways_out(tmp_path: Path) -> None:
    both = "connect to the network and run `.*ablate data prepare cifar10 --data-dir .*`, or .* --from PATH`"
    with pytest.raises(UserError, match=both):
        open_prepared(DataSpec(name="cifar10"), tmp_path)


def test_a_failed_download_names_both_ways_out_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offline(*_: object) -> Path:
        raise DataError("no route to host")

    monkeypatch.setattr(DOWNLOAD, offline)
    with pytest.raises(UserError, match=r"the download failed: no route to host\); connect .* --from PATH"):
        ensure_prepared(DataSpec(name="cifar10"), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_download_is_prepared_and_its_files_removed(
    tmp_path: Path, make_tree: MakeTree, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make_tree()
    monkeypatch.setattr(DOWNLOAD, lambda name, folder: shutil.copytree(root, folder / name))
    data = ensure_prepared(DataSpec(name="cifar10"), tmp_path / "data")
    assert data.source == "download by torchvision"
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["cifar10.safetensors"]


@pytest.mark.parametrize("name", [name for name in DATASETS if DATASETS[name].downloadable])
def test_any_failure_of_torchvision_is_one_line(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("File not found\nor corrupted.")

    monkeypatch.setattr("torchvision.datasets.utils.download_url", refuse)
    with pytest.raises(UserError, match=r"the download failed: File not found or corrupted\.\)"):
        prepare(data_spec(name), tmp_path)


def test_a_full_disk_is_not_taken_for_a_missing_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("torchvision.datasets.utils.download_url", no_room)
    with pytest.raises(DiskError, match=r"^cannot write .*: No space left on device; make room, or name "):
        prepare(data_spec("cifar10"), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_may_have_any_bytes_for_its_name(tmp_path: Path, make_tree: MakeTree) -> None:
    make_tree("tree").rename(source := Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9")))
    assert prepare(data_spec("cifar10"), tmp_path / "data", source).source.endswith("caf\\udce9")


@pytest.mark.parametrize("validation_images", [None, 100])
def test_a_file_of_other_data_is_refused(tmp_path: Path, validation_images: int | None) -> None:
    images, labels = np.zeros((200, 32, 32, 3), np.uint8), np.arange(200) % 10
    content = from_arrays(CIFAR10, (images, labels), (images, labels), source="made")
    write(tmp_path / "cifar100.safetensors", "cifar10", content)
    with pytest.raises(UserError, match=r"cifar100\.safetensors holds 'cifar10', not 'cifar100'; remove it"):
        open_prepared(DataSpec(name="cifar100", validation_images=validation_images), tmp_path)


def test_a_thin_image_is_refused_before_it_is_resized(tmp_path: Path) -> None:
    def png(width: int, height: int) -> bytes:
        Image.new("RGB", (width, height)).save(tmp_path / "x.png")
        return (tmp_path / "x.png").read_bytes()

    with pytest.raises(
        UserError, match=r"image 'thin\.png' is 1x101 pixels; one side may be at most 100 times"
    ):
        Cropped(32, 8)(png(1, 101), "thin.png")
    assert Cropped(32, 8)(png(100, 1), "x").shape == (8, 8, 3)


@pytest.mark.parametrize("kind", ["eps", "psd", "icns", "fits", "im"])
def test_a_file_is_not_read_as_what_its_content_claims(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An EPS named .png would start Ghostscript on a stranger's program."""
    started: list[object] = []
    monkeypatch.setattr("subprocess.Popen", lambda *words, **_: started.append(words))
    contents = {
        "eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 32 32\n%%EndComments\n(run) print\n%%EOF\n",
        "psd": b"8BPS\x00\x01" + bytes(40),
        "icns": b"icns\x00\x00\x00\x10ic07\x00\x00\x00\x08",
        "fits": b"SIMPLE  =                    T" + b" " * 2850,
        "im": b"Image type: L image\r\nImage size (x*y): 32*32\r\n".ljust(511, b"\x00")
        + b"\x1a"
        + bytes(1024),
    }
    with pytest.raises(UserError, match=r"cannot read the image 'a.png'"):
        Exact(32)(contents[kind], "a.png")
    assert started == []
