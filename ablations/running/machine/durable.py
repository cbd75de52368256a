"""Files written so that a power cut leaves the old content or the new, never a mixture."""

from __future__ import annotations

import errno
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from senet_core.errors import UserError

FULL_OR_FAILING = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
"""Error numbers of a full or failing disk, which no other input would avoid."""

ABANDONED_SECONDS = 3600.0
"""So old a draft or probe belongs to nobody: each is there for moments, and clocks of two machines differ by less."""


class DiskError(OSError):
    """A full or failing disk, in one line; the command line prints it and exits with status 1.

    Status 2 is for bad input; a full disk is not the input's fault, and a script may try again after status 1.
    """


def not_written(what: str, error: OSError, *, chosen: bool) -> UserError | DiskError:
    """Return the error for something that could not be written: the user's mistake or the disk's.

    Args:
        what: its name with its path, such as "the record results/smoke/trials.jsonl".
        error: as the system raised it.
        chosen: whether the user named the path and nothing was written there before, so that it may be a wrong one.
    """
    text = f"cannot write {what}: {error.strerror or error}"
    if chosen and error.errno not in FULL_OR_FAILING:
        return UserError(text)
    return DiskError(f"{text}; nothing recorded is lost, and the same command goes on when that is mended")


def write_durably(path: Path, content: bytes | memoryview) -> None:
    """Replace a file's content; it is on the disk when this returns.

    Raises:
        OSError: it cannot be written; the old content is untouched.
    """
    with replacing(path) as file:
        file.write(content)


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Yield a temporary file beside `path` that takes its place, and is on the disk, when the block ends.

    Raises:
        OSError: it cannot be written; the old content is untouched, as after any error inside the block.
    """
    # processes of two machines may have one number, and write checkpoints of one trial
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex}.partial")
    try:
        with partial.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        with suppress(OSError):  # the error under way says more
            partial.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def append_durably(path: Path, content: bytes) -> None:
    """Append to a file in one piece; it is on the disk when this returns, or the file is as it was before.

    Raises:
        OSError: it cannot be written.
    """
    new = not path.exists()
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        size = os.fstat(descriptor).st_size
        try:
            written = os.write(descriptor, content)
            while written < len(content):
                written += os.write(descriptor, content[written:])
            os.fsync(descriptor)
        except OSError:
            os.ftruncate(descriptor, size)  # a disk that filled up midway leaves no half line behind
            raise
    finally:
        os.close(descriptor)
    if new:
        sync_folder(path.parent)


def is_abandoned(path: Path) -> bool:
    """Return whether a file that its writer keeps for moments is so old that nobody finishes or removes it any more."""
    try:
        return time.time() - path.stat().st_mtime > ABANDONED_SECONDS
    except OSError:
        return False  # gone meanwhile


def sync_folder(folder: Path) -> None:
    """Make new names in a folder durable, where the system can."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    except OSError:  # some file systems cannot; the names are then as durable as they get
        pass
    finally:
        os.close(descriptor)
