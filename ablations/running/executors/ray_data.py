"""The prepared data on a node of Ray that cannot read their file: one copy for all trials of the node.

The copies are in a folder of the user's own in the folder of temporary files, where anybody may have made that name
first. Every worker holds a lock on the copy it uses, so that copies which nobody holds any more can be removed.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ablations.errors import DataError
from ablations.running.machine.durable import write_durably
from senet_core.errors import UserError

_held: dict[Path, int] = {}  # this process's locks, by folder, until it ends


@dataclass(frozen=True)
class DataFile:
    """A prepared data set in Ray's object store, for nodes that cannot read its file.

    Attributes:
        name: of the file.
        digest: of the data.
        content: Ray's reference to the bytes.
    """

    name: str
    digest: str
    content: Any

    def local(self) -> Path:
        """Return a folder of this node that has the file; the first task on the node writes it.

        Raises:
            UserError: the folder is not this user's alone.
            DataError: what the object store has is damaged, or other data.
            OSError: it cannot be written.
        """
        base = private_folder(Path(tempfile.gettempdir()) / f"senet-ablations-data-{os.getuid()}")
        _remove_unused(base, self.digest)
        folder = _hold(base / self.digest)
        path = folder / self.name
        if not self._is_whole(path):
            import ray

            write_durably(path, memoryview(ray.get(self.content)))
            if not self._is_whole(path):
                raise DataError(
                    f"the data sent to {path} are not those of the sweep (digest {self.digest[:12]}): the prepared"
                    " file was replaced as the sweep began, or is damaged; the same command goes on when it is back"
                )
        return folder

    def _is_whole(self, path: Path) -> bool:
        from ablations.running.data.content import check_content

        try:
            found = os.lstat(path)
            own = stat.S_ISREG(found.st_mode) and found.st_uid == os.getuid()
            return own and check_content(path) == self.digest
        except (OSError, DataError):
            return False


def private_folder(path: Path) -> Path:
    """Return a folder that only this user can write to, made where it is not there.

    Raises:
        UserError: the name is taken by a link, a file, or a folder of another user's or that others can write to.
        OSError: it cannot be made.
    """
    with suppress(FileExistsError):
        path.mkdir(mode=0o700)
    found = os.lstat(path)
    if stat.S_ISLNK(found.st_mode):
        wrong = "it is a link"
    elif not stat.S_ISDIR(found.st_mode):
        wrong = "it is no folder"
    elif found.st_uid != os.getuid():
        wrong = f"it belongs to user {found.st_uid}"
    elif found.st_mode & 0o022:
        wrong = f"others can write to it (mode {stat.S_IMODE(found.st_mode):o})"
    else:
        return path
    raise UserError(
        f"{path} cannot be trusted with data: {wrong}; remove it, or set TMPDIR to a folder of your own"
    )


def _hold(folder: Path) -> Path:
    """Return a private folder that stays until this process ends."""
    while folder not in _held:
        try:
            private_folder(folder)
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except FileNotFoundError:  # removed as unused at that moment
            continue
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        if _is_at(descriptor, folder):
            _held[folder] = descriptor
        else:
            os.close(descriptor)
    return folder


def _remove_unused(base: Path, wanted: str) -> None:
    """Remove the copies that no living process holds; of the wanted one, what an interrupted writing left."""
    for folder in base.iterdir():
        if folder in _held:
            continue
        if folder.is_symlink() or not folder.is_dir():
            folder.unlink(missing_ok=True)
            continue
        with suppress(OSError):  # another process is about to use it, or removes it, too
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if folder.name != wanted:
                    shutil.rmtree(folder, ignore_errors=True)
                for left in folder.glob(".*.partial"):
                    left.unlink(missing_ok=True)
            finally:
                os.close(descriptor)


def _is_at(descriptor: int, folder: Path) -> bool:
    try:
        there = os.lstat(folder)
    except OSError:
        return False
    return os.path.samestat(os.fstat(descriptor), there)
