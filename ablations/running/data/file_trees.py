"""A folder or an archive, read as names and bytes.

Archives are read as streams and never unpacked to disk; a link in one is refused, not followed.
"""

from __future__ import annotations

import os
import stat
import tarfile
import zipfile
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Protocol

from ablations.errors import DataError
from ablations.running.data.archive_limits import (
    MOST_FILE,
    MOST_HEADER,
    BoundedStream,
    check_unpacked,
    unpacked_limit,
)
from ablations.running.data.archive_names import zip_names
from ablations.running.data.junk import is_unseen
from senet_core.bounded import open_plain, read_bounded, too_large
from senet_core.errors import one_line

_DEPTH = 5  # TOP/train/CLASS/IMAGE, and one more to notice what lies too deep
_KEEP = MOST_FILE
_CHUNK = 2**20


class FileTree(Protocol):
    """A folder or an archive of files.

    Attributes:
        path: of the folder or archive.
        said: what the user should know of its names, a line each; once they were listed.
    """

    path: Path
    said: tuple[str, ...]

    def names(self) -> list[str]:
        """Return the names of files and, with a trailing slash, of folders, relative to `path`, in POSIX form."""

    def read(self, wanted: AbstractSet[str]) -> Iterator[tuple[str, bytes]]:
        """Yield the wanted files with their bytes, in the order that is cheapest."""


def open_file_tree(path: Path) -> FileTree:
    """Return the tree at `path`: a folder, or an archive (.tar, .tar.gz, .tgz, .tar.xz, .zip).

    Raises:
        DataError: there is nothing at `path`, or it is neither folder nor archive.
    """
    try:
        is_folder, is_there = path.is_dir(), path.exists()
    except OSError as error:  # a name that is too long, a folder that may not be looked into
        raise DataError(f"cannot read {str(path)[:80]!r}: {error.strerror or error}") from error
    if is_folder:
        return Folder(path)
    if not is_there:
        raise DataError(f"there is no file or folder {str(path)!r}")
    name = path.name.lower()
    if name.endswith(".zip"):
        return Zip(path)
    if name.endswith((".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz")):
        return Tar(path)
    raise DataError(f"cannot read {str(path)!r}; accepted: a folder, .tar, .tar.gz, .tgz, .tar.xz or .zip")


class Folder:
    """The files below a folder, to the depth of a data set."""

    said: tuple[str, ...] = ()

    def __init__(self, path: Path) -> None:
        self.path = path

    def names(self) -> list[str]:
        """Return the names in the folder, sorted."""
        return sorted(self._walk(self.path, "", _DEPTH))

    def _walk(self, folder: Path, prefix: str, depth: int) -> Iterator[str]:
        with _reading(folder, "folder"):
            entries = [(entry.name, entry.is_dir()) for entry in os.scandir(folder)]
        for name, is_folder in entries:
            yield f"{prefix}{name}/" if is_folder else f"{prefix}{name}"
            if is_folder and depth > 1 and not is_unseen(name):
                yield from self._walk(folder / name, f"{prefix}{name}/", depth - 1)

    def read(self, wanted: AbstractSet[str]) -> Iterator[tuple[str, bytes]]:
        """Yield the wanted files in the order of their names."""
        for name in sorted(wanted):
            with _reading(self.path / name, "file"):
                data = read_bounded(self.path / name, MOST_FILE)
            yield name, data


class Tar:
    """A tar archive, compressed or not.

    To list a compressed archive is to read all of it, so a small one is kept in memory for `read`.
    """

    said: tuple[str, ...] = ()

    def __init__(self, path: Path) -> None:
        self.path = path
        self._kept: dict[str, bytes] | None = None

    def _members(self) -> Iterator[tuple[str, tarfile.TarFile, tarfile.TarInfo]]:
        with (
            _reading(self.path, "archive"),
            BoundedStream(self.path) as stream,
            tarfile.open(fileobj=stream, mode="r:") as archive,
        ):
            while (member := archive.next()) is not None:
                if not (member.isfile() or member.isdir()):
                    raise _refused(self.path, member.name, "a link or device")
                if member.sparse is not None:  # its holes take no room here, and gigabytes when read
                    raise _refused(self.path, member.name, "a file with holes")
                if member.size > MOST_FILE:
                    raise too_large(member.size, MOST_FILE)
                stream.check(member.offset_data + member.size)
                stream.most = MOST_FILE
                yield _inside(self.path, member.name, member.isdir()), archive, member
                stream.most = MOST_HEADER
                archive.members = []  # type: ignore[attr-defined]  # a million headers would fill the memory
            while stream.read(_CHUNK):
                pass  # the checksum stands behind the last member

    def names(self) -> list[str]:
        """Return the names of the members; refuse links, devices and names that lead out of the archive."""
        found, size = [], 0
        kept: dict[str, bytes] = {}
        for name, archive, member in self._members():
            found.append(name)
            size += member.size
            if size > _KEEP:
                kept.clear()
            elif not name.endswith("/"):
                kept[name] = self._content(archive, member)
        self._kept = kept if size <= _KEEP else None
        return _unique(self.path, found)

    def read(self, wanted: AbstractSet[str]) -> Iterator[tuple[str, bytes]]:
        """Yield the wanted members in the archive's order."""
        if self._kept is not None:
            yield from ((name, data) for name, data in self._kept.items() if name in wanted)
            return
        for name, archive, member in self._members():
            if name in wanted:
                yield name, self._content(archive, member)

    def _content(self, archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
        with _reading(self.path, "archive"):
            handle = archive.extractfile(member)
            return b"" if handle is None else handle.read()


class Zip:
    """A zip archive."""

    said: tuple[str, ...] = ()

    def __init__(self, path: Path) -> None:
        self.path = path

    def names(self) -> list[str]:
        """Return the names of the members; refuse links and names that lead out of the archive."""
        found = []
        with self._opened() as archive:
            decoded = zip_names(archive.infolist())
            for member, name in zip(archive.infolist(), decoded.names, strict=True):
                if stat.S_ISLNK(member.external_attr >> 16):
                    raise _refused(self.path, name, "a link")
                found.append(_inside(self.path, name, name.endswith("/")))
        if decoded.guessed:
            self.said = (f"{self.path} does not say the coding of its names; {decoded.guessed} is assumed",)
        return _unique(self.path, found)

    def read(self, wanted: AbstractSet[str]) -> Iterator[tuple[str, bytes]]:
        """Yield the wanted members in the archive's order; the checksums are compared."""
        with self._opened() as archive:
            names = zip_names(archive.infolist()).names
            for member, raw in zip(archive.infolist(), names, strict=True):
                name = _inside(self.path, raw, raw.endswith("/"))
                if name in wanted:
                    yield name, archive.read(member)

    @contextmanager
    def _opened(self) -> Iterator[zipfile.ZipFile]:
        with (
            _reading(self.path, "archive"),
            open_plain(self.path) as file,
            zipfile.ZipFile(file) as archive,
        ):
            sizes = [member.file_size for member in archive.infolist()]
            check_unpacked(sum(sizes), unpacked_limit(self.path))
            if max(sizes, default=0) > MOST_FILE:
                raise too_large(max(sizes), MOST_FILE)
            yield archive


@contextmanager
def _reading(path: Path, kind: str) -> Iterator[None]:
    try:
        yield
    except DataError:
        raise
    except Exception as error:  # a damaged archive can fail in any way
        why = getattr(error, "strerror", None) or one_line(error)
        raise DataError(f"cannot read the {kind} {path}: {why}") from error


def _inside(path: Path, name: str, is_folder: bool) -> str:
    pure = PurePosixPath(name)
    if pure.is_absolute() or ".." in pure.parts or "\\" in name or ":" in name.split("/")[0]:
        raise _refused(path, name, "a name that leads out of the archive")
    return f"{pure}/" if is_folder else str(pure)


def _unique(path: Path, names: list[str]) -> list[str]:
    files = [name for name in names if not name.endswith("/")]
    if len(set(files)) < len(files):
        twice = next(name for name in sorted(files) if files.count(name) > 1)
        raise DataError(f"the archive {path} holds {twice!r} more than once")
    return sorted(set(names))


def _refused(path: Path, name: str, what: str) -> DataError:
    return DataError(f"the archive {path} holds {name!r}, {what}; only plain files and folders are accepted")
