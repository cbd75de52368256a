"""IDX files, in which MNIST and its relatives are published, gzipped or not: checked, and laid out for torchvision."""

from __future__ import annotations

import gzip
import io
import math
import re
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ablations.errors import DataError
from ablations.running.data.archive_limits import MOST_FILE
from ablations.running.machine.durable import not_written
from senet_core.bounded import read_bounded
from senet_core.errors import one_line

MOST_BYTES = 2**28
"""Limit of an IDX file, unpacked; the largest that is read, of EMNIST's digits, has about 2**27.5."""

_NAME = re.compile(r".*-idx([1-4])-ubyte(?:\.gz)?")


def idx_files(root: Path, folder: str) -> tuple[str, ...]:
    """Return the IDX files of a data set, relative to `root`: those in its folder there, or else in `root` itself.

    Args:
        root: what torchvision calls so.
        folder: where its class looks for them, such as "MNIST/raw".
    """
    for place in (folder, "."):
        found = sorted(path.name for path in (root / place).glob("*-ubyte*") if _NAME.fullmatch(path.name))
        if found:
            return tuple(found if place == "." else (f"{place}/{name}" for name in found))
    return ()


def lay_out(root: Path, names: tuple[str, ...], place: Path) -> None:
    """Write checked IDX files, unpacked, into a folder.

    Args:
        root: what the names are relative to.
        names: of the files, gzipped or not.
        place: the folder; created.

    Raises:
        DataError: a file is damaged, or larger than it says or than the limit.
        DiskError: the disk is full or failing.
    """
    for name in names:
        matched = _NAME.fullmatch(name)
        assert matched is not None
        try:
            data = read_bounded(root / name, MOST_FILE)
        except OSError as error:
            raise DataError(
                f"cannot read {str(root / name)!r}: {error.strerror or one_line(error)}"
            ) from error
        values = parse_idx(data, name, int(matched[1]))
        head = bytes((0, 0, 8, values.ndim)) + np.array(values.shape, dtype=">u4").tobytes()
        try:
            place.mkdir(parents=True, exist_ok=True)
            (place / Path(name).name.removesuffix(".gz")).write_bytes(head + values.tobytes())
        except OSError as error:
            raise not_written(f"the unpacked files {place}", error, chosen=False) from error


def parse_idx(data: bytes, name: str, dimensions: int) -> npt.NDArray[Any]:
    """Return the array of an IDX file: two zeros, type 8, number of dimensions, their sizes (big-endian), values.

    Args:
        data: the file, gzipped or not.
        name: of the file, for messages.
        dimensions: the number that it should have.

    Raises:
        DataError: it is damaged.
    """
    try:
        if data[:2] == b"\x1f\x8b":
            data = _unpacked(data, dimensions)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"cannot read {name!r}: {error}") from error
    start = 4 + 4 * dimensions
    shape = np.frombuffer(data[4:start], dtype=">u4").astype(np.int64) if len(data) >= start else None
    if (
        shape is None
        or data[:4] != bytes((0, 0, 8, dimensions))
        or len(data) - start != math.prod(shape.tolist())
    ):
        raise DataError(f"cannot read {name!r}: it is truncated, or no IDX file of {dimensions} dimensions")
    return np.frombuffer(data, dtype=np.uint8, offset=start).reshape(shape)


def _unpacked(data: bytes, dimensions: int) -> bytes:
    """Unpack no more than the file says that it has, and one byte to notice what follows."""
    with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
        head = file.read(4 + 4 * dimensions)
        if len(head) < 4 + 4 * dimensions:
            return head
        said = math.prod(np.frombuffer(head[4:], dtype=">u4").tolist())
        if said > MOST_BYTES:
            raise OSError(f"it says that it has {said:,} bytes, and at most {MOST_BYTES:,} are read")
        return head + file.read(said + 1)
