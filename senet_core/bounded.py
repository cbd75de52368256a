"""Reading files that a stranger may have made: plain files only, and no more of them than a stated number of bytes."""

from __future__ import annotations

import errno
import io
import os
import stat
import zipfile
from pathlib import Path
from typing import BinaryIO

KIB, MIB, GIB = 2**10, 2**20, 2**30
_PIECE = MIB

NOT_OURS = (errno.EISDIR, errno.EINVAL, errno.EFBIG)
"""Error numbers of what is no plain file, or a larger one than we write: the disk does not fail, and it stays so."""


def open_plain(path: Path) -> BinaryIO:
    """Open a plain file for reading; a pipe or a device could keep its reader waiting for ever.

    Raises:
        OSError: it cannot be opened, or is no plain file.
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not stat.S_ISREG(mode):
            raise OSError(errno.EINVAL, "it is no plain file, but a pipe, a socket or a device")
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read_bounded(path: Path, most: int) -> bytes:
    """Return the content of a plain file of at most `most` bytes.

    Raises:
        OSError: it cannot be read, is no plain file, or is larger; `strerror` says so.
    """
    with open_plain(path) as file:
        size = os.fstat(file.fileno()).st_size
        content = (
            file.read(size + 1) if size <= most else b""
        )  # a read of `most` bytes would take their memory
        while size < len(content) <= most and (more := file.read(min(most, _PIECE) + 1)):
            content += more  # it grew, or has no size, as in /proc
    if max(size, len(content)) > most:
        raise too_large(max(size, len(content)), most)
    return content


def too_large(size: int, most: int) -> OSError:
    """Return the error for a file of `size` bytes where at most `most` are read."""
    return OSError(errno.EFBIG, f"it has {size:,} bytes, and at most {most:,} are read")


def check_unpacked(payload: bytes) -> None:
    """Refuse a file whose parts would unpack to more than it has; torch writes them as they are.

    Raises:
        ValueError: it would, or it is no file of torch's.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(payload)) as parts:
            unpacked = sum(part.file_size for part in parts.infolist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as error:
        raise ValueError("it is no file of torch's") from error
    if unpacked > len(payload):
        raise ValueError(f"it would unpack to {unpacked:,} bytes, and has {len(payload):,}")
