"""Folders and archives as systems and programs leave them: junk is no class and no image, and no class is lost."""

from __future__ import annotations

import io
import logging
import shutil
import unicodedata
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from ablations.errors import DataError
from ablations.planning.networks.data_spec import DataSpec
from ablations.running.data import Prepared, data_spec, prepare
from ablations.running.data.file_trees import open_file_tree
from ablations.running.data.folders import find_images
from ablations.running.data.junk import is_junk

MakeTree = Callable[..., Path]
Pack = Callable[[Path, str], Path]
KINDS = ("cat", "dog")
FORMS = ["", "a.zip", "a.tar.gz"]

SILENT = [
    ".DS_Store", "train/.DS_Store", "train/cat/.DS_Store", "train/cat/._0000.png", "train/._cat",
    "__MACOSX/._train", "__MACOSX/train/cat/._0000.png", "train/__MACOSX/x.png", "train/cat/Icon\r",
    "Thumbs.db", "train/Thumbs.db", "train/cat/Thumbs.db", "train/cat/thumbs.db", "train/cat/ehthumbs.db",
    "train/desktop.ini", "train/cat/Desktop.ini", "train/$RECYCLE.BIN/x.png",
    "train/System Volume Information/x", "train/cat/.ipynb_checkpoints/0000-checkpoint.png",
    "train/.ipynb_checkpoints/x.png", "train/@eaDir/cat/x.jpg", "train/cat/@eaDir/0000.png/SYNOPHOTO.jpg",
    "train/#recycle/x.png", "train/cat/.directory", "train/.nfs000000000001", "train/cat/.nfs0001",
    "train/.git/x", "train/cat/.gitkeep", "train/__pycache__/x.pyc", "train/.Trash-1000/files/x.png",
]  # fmt: skip
SAID = ["train/.hidden.png", "train/cat/.0009.png", "train/.secret/0000.png", "train/lost+found/0000.png"]
BESIDE = ["README.txt", "labels.csv", "notes/cat/x.png", ".hidden/x.png", "lost+found/x.png"]


def packed(root: Path, form: str, pack: Pack) -> Path:
    return pack(root, form) if form else root


def read(source: Path, data: Path) -> Prepared:
    """Prepare the images; archives are read for CIFAR only, which has ten classes."""
    return prepare(data_spec("cifar10"), data, source)


def leave(root: Path, name: str) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(next(root.glob("train/cat/*.png")), root / name)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", [*SILENT, *SAID, *BESIDE], ids=repr)
def test_what_is_left_in_a_folder_is_no_image(
    tmp_path: Path, make_tree: MakeTree, pack: Pack, name: str, form: str, caplog: pytest.LogCaptureFixture
) -> None:
    root = make_tree(classes=KINDS)
    leave(root, name)
    source = packed(root, form, pack)
    files = find_images(open_file_tree(source).names(), source)
    assert (files.classes, len(files.train.names), len(files.test.names)) == (KINDS, 6, 4)
    assert len(files.said) == (name in SAID), files.said
    if name in SAID:
        assert "1 hidden file or folder not read, such as 'train/" in files.said[0]


@pytest.mark.parametrize(
    "name", ["train/cat/notes.txt", "train/cat/x.png.part", "train/cat/x.avif", "train/loose.png"]
)
def test_what_is_neither_junk_nor_an_image_is_refused(make_tree: MakeTree, name: str) -> None:
    root = make_tree(classes=KINDS)
    leave(root, name)
    with pytest.raises(DataError, match=r"is not an image|unexpected"):
        find_images(open_file_tree(root).names(), root)


def test_what_is_only_like_junk_is_a_class(make_tree: MakeTree) -> None:
    kinds = ("__MACOSXX", "eaDir", "git", "thumbs.dbx", "lost and found")
    root = make_tree(classes=kinds)
    assert find_images(open_file_tree(root).names(), root).classes == tuple(sorted(kinds))
    assert not any(is_junk(kind) for kind in kinds)


def test_what_is_said_is_said_once(
    tmp_path: Path, make_tree: MakeTree, caplog: pytest.LogCaptureFixture
) -> None:
    root = make_tree(classes=KINDS)
    for name in SAID:
        leave(root, name)
    with caplog.at_level(logging.WARNING):
        prepare(DataSpec(name="image-folder", path=str(root), size=16), tmp_path / "data")
    [line] = [each.getMessage() for each in caplog.records]
    assert line.startswith(f"{root}: ")
    assert "hidden files or folders not read, such as" in line


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("top", ["", "pets/", "my pets (1)/"])
@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("train", "test"), ("Train", "Test"), ("TRAIN", "VAL"), ("training", "testing"),
        ("Training", "validation"), ("train", "valid"), ("train", "val"),
    ],
)  # fmt: skip
def test_the_parts_have_several_names(
    make_tree: MakeTree, pack: Pack, train: str, test: str, top: str, form: str
) -> None:
    make_tree(f"outer/{top}", classes=KINDS, parts=(train, test))
    root = make_tree("outer/__MACOSX", classes=KINDS, parts=("train", "test")).parent
    source = packed(root, form, pack)
    files = find_images(open_file_tree(source).names(), source)
    assert files.train.names[0] == f"{top}{train}/cat/0000.png"
    assert files.test.names[0] == f"{top}{test}/cat/0000.png"


@pytest.mark.parametrize(
    "pair", [("train", "Train"), ("train", "training"), ("val", "valid"), ("Test", "test")]
)
def test_a_part_that_is_there_twice_is_refused(make_tree: MakeTree, pair: tuple[str, str]) -> None:
    parts = ("train", "test") if pair[0].lower() == "test" else ("train", "val")
    root = make_tree(classes=KINDS, parts=parts)
    for name in pair:
        if not (root / name).exists():
            shutil.copytree(root / parts[pair[0].lower() != "train"], root / name)
    with pytest.raises(DataError, match=r"has '\w+' and '\w+', and they would be one part"):
        find_images(open_file_tree(root).names(), root)


def test_two_data_sets_are_refused(make_tree: MakeTree) -> None:
    root = make_tree("outer/a", classes=KINDS).parent
    make_tree("outer/b", classes=("cow", "pig"))
    with pytest.raises(DataError, match="holds several data sets, in a/, b/: give the folder of one"):
        find_images(open_file_tree(root).names(), root)


def test_a_part_that_is_not_used_is_said(make_tree: MakeTree) -> None:
    root = make_tree(classes=KINDS, parts=("train", "test", "val"), counts=(3, 2, 1))
    files = find_images(open_file_tree(root).names(), root)
    assert files.said == (f"{root}: test/ is the test part, and val/ is not used",)


@pytest.mark.parametrize("suffix", [".JPG", ".JPEG", ".Png", ".TIF"])
def test_endings_have_any_case(make_tree: MakeTree, suffix: str) -> None:
    root = make_tree(classes=KINDS, suffix=suffix)
    assert len(find_images(open_file_tree(root).names(), root).train.names) == 6


ALIKE = [("cat", "Cat"), ("cat", "cat "), ("cat", "cat."), ("Straße", "STRASSE")]


@pytest.mark.parametrize("pair", ALIKE)
def test_classes_that_are_alike_stay_two_and_are_said(make_tree: MakeTree, pair: tuple[str, str]) -> None:
    root = make_tree(classes=pair)
    files = find_images(open_file_tree(root).names(), root)
    assert set(files.classes) == set(pair)
    [line] = files.said
    assert "are two classes; their names differ in case, dots or spaces only" in line


@pytest.mark.parametrize("pair", ALIKE)
def test_a_class_that_is_alike_in_the_other_part_is_refused(
    make_tree: MakeTree, pair: tuple[str, str]
) -> None:
    root = make_tree(classes=(pair[0], "dog"))
    (root / "test" / pair[0]).rename(root / "test" / pair[1])
    with pytest.raises(DataError, match=f"in train/ but not in test/; there it is '{pair[1]}'$"):
        find_images(open_file_tree(root).names(), root)


def test_a_class_of_junk_alone_is_empty_and_said(make_tree: MakeTree) -> None:
    root = make_tree(classes=KINDS)
    for part in ("train", "test"):
        (root / part / "cow").mkdir()
        (root / part / "cow/.DS_Store").touch()
    with pytest.raises(DataError, match="the class folder 'train/cow' holds no image"):
        find_images(open_file_tree(root).names(), root)


def test_names_of_macos_are_those_of_linux(make_tree: MakeTree, tmp_path: Path) -> None:
    kinds = ("zebra", "éléphant", "ours")
    linux = make_tree("linux", classes=kinds)
    macos = make_tree("macos", classes=tuple(unicodedata.normalize("NFD", kind) for kind in kinds))
    for root, form in ((linux, "NFC"), (macos, "NFD")):
        for number, name in enumerate(("é.png", "f.png")):
            place = (
                root / "train" / unicodedata.normalize(form, "éléphant") / unicodedata.normalize(form, name)
            )
            Image.new("RGB", (32, 32), (number, 0, 0)).save(place)
    digests = {
        prepare(DataSpec(name="image-folder", path=str(root), size=16), tmp_path / "data").digest
        for root in (linux, macos)
    }
    assert len(digests) == 1


def test_one_class_in_two_codings_is_refused(make_tree: MakeTree) -> None:
    root = make_tree(classes=KINDS)
    for form in ("NFC", "NFD"):
        for part in ("train", "test"):
            shutil.copytree(root / part / "cat", root / part / unicodedata.normalize(form, "é"))
    with pytest.raises(DataError, match="two folders in train/ are called 'é', in two codings"):
        find_images(open_file_tree(root).names(), root)


def image() -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (32, 32)).save(content, "PNG")
    return content.getvalue()


def zipped(
    path: Path,
    kinds: tuple[bytes, ...],
    *,
    slash: bytes = b"/",
    field: Callable[[bytes], bytes] = lambda name: b"",
) -> Path:
    """Write an archive with names of these bytes, which does not say their coding."""
    marks: dict[bytes, bytes] = {}
    with zipfile.ZipFile(path, "w") as archive:
        for part in (b"train", b"test"):
            for kind in kinds:
                name = slash.join((part, kind, b"1.png"))
                mark = b"QXZY"[len(marks) :][:1] * len(name)
                marks[mark] = name
                info = zipfile.ZipInfo(mark.decode())
                info.extra = field(name)
                archive.writestr(info, image())
    content = path.read_bytes()
    for mark, name in marks.items():
        assert content.count(mark) == 2
        content = content.replace(mark, name)
    path.write_bytes(content)
    return path


CODINGS = [
    (("cat", "dog"), "ascii", ""),
    (("éléphant", "Größe"), "cp437", "cp437"),
    (("café", "für"), "cp437", "cp437"),
    (("猫", "犬"), "cp932", "Shift-JIS"),
    (("ネコ", "ソース表"), "cp932", "Shift-JIS"),
    (("éléphant", "猫"), "utf-8", ""),
]


@pytest.mark.parametrize(("kinds", "coding", "said"), CODINGS)
@pytest.mark.parametrize("slash", [b"/", b"\\"], ids=["slash", "backslash"])
def test_names_of_an_archive_are_read_as_they_were_written(
    tmp_path: Path, kinds: tuple[str, ...], coding: str, said: str, slash: bytes
) -> None:
    source = zipped(tmp_path / "a.zip", tuple(kind.encode(coding) for kind in kinds), slash=slash)
    tree = open_file_tree(source)
    files = find_images(tree.names(), source)
    assert files.classes == tuple(sorted(kinds))
    assert len(dict(tree.read(set(files.train.names)))) == 2
    assert [line for line in tree.said if said in line] == list(tree.said)
    assert len(tree.said) == bool(said)


def test_the_unicode_field_of_a_name_is_believed_if_it_is_for_that_name(tmp_path: Path) -> None:
    def field(name: bytes) -> bytes:
        text = name.replace(b"\x82", "é".encode())
        content = b"\x01" + zlib.crc32(name).to_bytes(4, "little") + text
        return b"\x75\x70" + len(content).to_bytes(2, "little") + content

    source = zipped(tmp_path / "a.zip", (b"caf\x82", b"dog"), field=field)
    tree = open_file_tree(source)
    assert find_images(tree.names(), source).classes == ("café", "dog")
    assert tree.said == ()


@pytest.mark.parametrize(
    "name", ["..\\..\\out.png", "\\etc\\passwd", "C:\\x.png", "\\\\host\\x.png", "train\\..\\..\\x"]
)
def test_backslashes_lead_out_of_no_archive(tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        archive.writestr(name, b"")
    with pytest.raises(DataError, match="a name that leads out of the archive"):
        open_file_tree(tmp_path / "bad.zip").names()


def test_a_name_with_both_slashes_comes_twice(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "twice.zip", "w") as archive:
        archive.writestr("train/cat/1.png", b"")
        archive.writestr("train\\cat\\1.png", b"")
    with pytest.raises(DataError, match="more than once"):
        open_file_tree(tmp_path / "twice.zip").names()


def test_an_archive_of_windows_gives_the_data_of_the_folder(tmp_path: Path, make_tree: MakeTree) -> None:
    root = make_tree()
    for name in SILENT:
        leave(root, name) if "cat" in name else None
    with zipfile.ZipFile(tmp_path / "windows.zip", "w") as archive:
        for path in sorted(root.rglob("*")):
            name = "pets\\" + str(path.relative_to(root)).replace("/", "\\") + ("\\" if path.is_dir() else "")
            archive.writestr(name, b"" if path.is_dir() else path.read_bytes())
    digests = {read(source, tmp_path / "data").digest for source in (root, tmp_path / "windows.zip")}
    assert len(digests) == 1
