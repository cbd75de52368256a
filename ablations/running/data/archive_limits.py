"""Limits of what an archive unpacks to, held to while it is read: what its headers claim is not believed."""

from __future__ import annotations

import errno
import gzip
import io
import lzma
from pathlib import Path
from typing import BinaryIO, cast

from senet_core.bounded import MIB, open_plain

MOST_FILE = 2**28
"""Limit of one file of a data set, in bytes; CIFAR is below 2**28 in any form."""

MOST_HEADER = MIB
"""Limit of one piece that is read between the files of a tar archive, such as a long name."""

MOST_TIMES = 100
"""An archive may unpack to so many times its own size, or to `LEAST_LIMIT`. Images do not pack much smaller."""

LEAST_LIMIT = 64 * MIB
_DICTIONARY = 256 * MIB


def unpacked_limit(path: Path) -> int:
    """Return to how many bytes an archive may unpack."""
    return max(LEAST_LIMIT, MOST_TIMES * path.stat().st_size)


def check_unpacked(size: int, limit: int) -> None:
    """Refuse an archive that unpacks to more than it may.

    Raises:
        OSError: with the numbers.
    """
    if size > limit:
        raise OSError(
            errno.EFBIG,
            f"it unpacks to {size:,} bytes or more, and at most {limit:,} are read:"
            f" {MOST_TIMES} times its size, or {LEAST_LIMIT // MIB} MiB",
        )


class BoundedStream(io.RawIOBase):
    """The content of a tar archive, unpacked while it is read, up to the limit.

    Attributes:
        most: how many bytes may be asked for at once.

    Args:
        path: the archive.

    Raises:
        OSError: more is asked for than there may be; or the file is not what it should be.
    """

    def __init__(self, path: Path) -> None:
        self.most = MOST_HEADER
        self._limit = unpacked_limit(path)
        self._file = _unpacking(path)

    def check(self, place: int) -> None:
        """Refuse an archive that goes on to a place beyond its limit."""
        check_unpacked(place, self._limit)

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes."""
        if not 0 <= size <= self.most:
            raise OSError(
                errno.EFBIG, f"a header asks for {size:,} bytes, and at most {self.most:,} are read"
            )
        content = self._file.read(size)
        self.check(self._file.tell())
        return content

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill a buffer with the next bytes."""
        content = self.read(len(buffer))
        buffer[: len(content)] = content
        return len(content)

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Go to a place; what lies between is unpacked."""
        self.check(offset)
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return the place."""
        return self._file.tell()

    def seekable(self) -> bool:
        """Return that places can be gone to."""
        return True

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def close(self) -> None:
        """Close the archive."""
        self._file.close()
        super().close()


def _unpacking(path: Path) -> BinaryIO:
    file = open_plain(path)
    name = path.name.lower()
    if name.endswith((".gz", ".tgz")):
        return cast(BinaryIO, _Closing(gzip.GzipFile(fileobj=file), file))
    if name.endswith((".xz", ".txz")):
        try:  # a header may ask for gigabytes of dictionary
            lzma.LZMADecompressor(memlimit=_DICTIONARY).decompress(file.read(2**16), 0)
        except lzma.LZMAError:
            file.close()
            raise
        file.seek(0)
        return cast(BinaryIO, _Closing(lzma.LZMAFile(file), file))
    return file


class _Closing(io.BufferedReader):
    """A reader that closes the file below it, too."""

    def __init__(self, unpacking: gzip.GzipFile | lzma.LZMAFile, file: BinaryIO) -> None:
        super().__init__(cast(io.RawIOBase, unpacking))
        self._packed = file

    def close(self) -> None:
        super().close()
        self._packed.close()
