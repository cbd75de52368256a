"""Folders and archives: everything in them is read, and nothing outside them."""

from __future__ import annotations

import errno
import io
import os
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ablations.running.data import file_trees
from ablations.running.data.file_trees import open_file_tree
from senet_core.errors import UserError

Pack = Callable[[Path, str], Path]
ARCHIVES = ("a.tar", "a.tar.gz", "a.tgz", "a.tar.xz", "a.zip")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    (folder / "train" / "cat").mkdir(parents=True)
    (folder / "train" / "empty").mkdir()
    (folder / "train" / "cat" / "1").write_bytes(b"one" * 1000)
    (folder / "train" / "cat" / "2").write_bytes(b"")
    return folder


def tar_with(path: Path, *members: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w") as archive:
        for member in members:
            archive.addfile(member, io.BytesIO(b"x" * member.size))
    return path


@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("name", [*ARCHIVES, ""])
def test_names_and_bytes_are_those_of_the_folder(
    root: Path, pack: Pack, name: str, kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not kept:
        monkeypatch.setattr(file_trees, "_KEEP", 10)
    source = open_file_tree(pack(root, name) if name else root)
    assert source.names() == ["train/", "train/cat/", "train/cat/1", "train/cat/2", "train/empty/"]
    assert dict(source.read({"train/cat/1", "train/cat/2"})) == {
        "train/cat/1": b"one" * 1000,
        "train/cat/2": b"",
    }
    assert dict(source.read({"train/cat/2"})) == {"train/cat/2": b""}


@pytest.mark.parametrize("name", ARCHIVES)
def test_a_truncated_archive_is_one_line(root: Path, pack: Pack, name: str) -> None:
    archive = pack(root, name)
    content = archive.read_bytes()
    archive.write_bytes(content[: 5000 if name == "a.tar" else len(content) // 2])
    with pytest.raises(UserError, match=r"^cannot read the archive .*a\.") as caught:
        dict(open_file_tree(archive).read(set(open_file_tree(archive).names())))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ARCHIVES)
def test_a_file_that_is_no_archive_is_one_line(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"not an archive at all" * 100)
    with pytest.raises(UserError, match="cannot read the archive"):
        open_file_tree(tmp_path / name).names()


def test_a_damaged_member_of_a_zip_is_found(root: Path, pack: Pack) -> None:
    archive = pack(root, "a.zip")
    content = archive.read_bytes()
    archive.write_bytes(content.replace(b"oneone", b"onetwo", 1))
    with pytest.raises(UserError, match=r"cannot read the archive .*Bad CRC-32"):
        dict(open_file_tree(archive).read({"train/cat/1"}))


@pytest.mark.parametrize("name", ["../out.png", "/etc/passwd", "train/../../out", "..\\out", "C:/out"])
def test_names_that_lead_out_are_refused(tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        archive.writestr(name, b"")
    for path in (tar_with(tmp_path / "bad.tar", tarfile.TarInfo(name)), tmp_path / "bad.zip"):
        with pytest.raises(UserError, match="a name that leads out of the archive; only plain files"):
            open_file_tree(path).names()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_links_and_devices_in_a_tar_are_refused(tmp_path: Path, kind: bytes) -> None:
    member = tarfile.TarInfo("train/cat/1.png")
    member.type, member.linkname = kind, "/etc/passwd"
    with pytest.raises(UserError, match=r"holds 'train/cat/1.png', a link or device; only plain files"):
        open_file_tree(tar_with(tmp_path / "bad.tar", member)).names()


def test_links_in_a_zip_are_refused(tmp_path: Path) -> None:
    member = zipfile.ZipInfo("train/cat/1.png")
    member.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        archive.writestr(member, "/etc/passwd")
    with pytest.raises(UserError, match=r"holds 'train/cat/1.png', a link; only plain files"):
        open_file_tree(tmp_path / "bad.zip").names()


def test_a_name_that_comes_twice_is_refused(tmp_path: Path) -> None:
    path = tar_with(tmp_path / "twice.tar", tarfile.TarInfo("a/1"), tarfile.TarInfo("./a/1"))
    with pytest.raises(UserError, match="holds 'a/1' more than once"):
        open_file_tree(path).names()


def test_a_missing_path_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"there is no file or folder '.*nowhere'"):
        open_file_tree(tmp_path / "nowhere")


def test_an_unknown_kind_of_file_names_those_accepted(tmp_path: Path) -> None:
    (tmp_path / "data.rar").write_bytes(b"")
    with pytest.raises(UserError, match=r"cannot read '.*data.rar'; accepted: a folder, .tar, .tar.gz"):
        open_file_tree(tmp_path / "data.rar")


def test_a_file_that_cannot_be_read_is_named(root: Path) -> None:
    (root / "train/cat/7.jpg").symlink_to("gone")
    source = open_file_tree(root)
    with pytest.raises(UserError, match=r"^cannot read the file .*train/cat/7\.jpg: No such file"):
        dict(source.read({"train/cat/7.jpg"}))


def test_what_a_disk_keeps_for_itself_is_not_looked_into(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / "lost+found").mkdir()
    (root / "train/lost+found").mkdir()
    (root / "train/lost+found/1").touch()
    scan = os.scandir

    def refuse(folder: Path) -> Any:
        if Path(folder).name == "lost+found":
            raise PermissionError(errno.EACCES, "Permission denied")
        return scan(folder)

    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", refuse)
        names = open_file_tree(root).names()
    assert {"lost+found/", "train/lost+found/"} <= set(names)
    assert "train/lost+found/1" not in names
