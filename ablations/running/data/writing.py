"""Writing a prepared file: images in any order and never all in memory; the file is complete or not there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from ablations.errors import DataError
from ablations.running.data.prepared import FORMAT, TENSORS, digest_of
from ablations.running.data.raw_dataset import Bytes, RawDataset
from ablations.running.machine.durable import FULL_OR_FAILING, DiskError, replacing
from senet_core.errors import UserError

_DIGEST_ROOM = "0" * 64
_STATISTICS_ROOM = 64  # bytes kept free for each number of mean and std, more than any float's text
_ALIGNMENT = 64


def write(path: Path, name: str, content: RawDataset) -> None:
    """Write a data set to `path`, by a temporary file beside it that takes its place when complete.

    Two processes may write the same file at once: the one that ends later, equal in content, stays.

    Args:
        path: the file to write; its folder is created if needed.
        name: of the data set.
        content: labels, and the stream of images.

    Raises:
        DataError: the stream was not complete.
        UserError: the folder cannot be written.
        DiskError: the disk is full or failing.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as file:
            layout = _Layout(name, content)
            _write_body(file, layout, content)
            file.flush()
            arrays = [layout.mapped(Path(file.name), key) for key in TENSORS]
            mean, std = channel_statistics(arrays[TENSORS.index("train_images")])
            file.seek(0)
            file.write(layout.header(digest_of(content.classes, arrays), mean, std))
    except OSError as error:
        raise cannot_write(path, error) from error


def cannot_write(path: Path, error: OSError) -> UserError | DiskError:
    """Return the error for a file or folder of prepared data that cannot be written."""
    kind = DiskError if error.errno in FULL_OR_FAILING else UserError
    why = error.strerror or error
    room = "make room, or " if kind is DiskError else ""
    if isinstance(error, FileExistsError | NotADirectoryError):
        why = "there is a file where a folder should be"
    return kind(f"cannot write {path}: {why}; {room}name another folder with ABLATE_DATA_DIR")


def _write_body(file: BinaryIO, layout: _Layout, content: RawDataset) -> None:
    # Plain writes on purpose: on a full disk they raise, where a mapped file would kill the process.
    for split, labels in (("train", content.train_labels), ("test", content.test_labels)):
        file.seek(layout.start(f"{split}_labels"))
        file.write(np.ascontiguousarray(labels, dtype="<i8").data)
    end = file.tell()
    written = {"train": 0, "test": 0}
    for split, index, images in content.blocks():
        place = layout.start(f"{split}_images") + index * images[0].nbytes
        if place != end:  # a seek empties the file's buffer, and most images follow one another
            file.seek(place)
        end = place + file.write(np.ascontiguousarray(images).data)
        written[split] += len(images)
    expected = {"train": len(content.train_labels), "test": len(content.test_labels)}
    if written != expected:
        raise DataError(f"{content.source} changed while it was read: {written} images, expected {expected}")


class _Layout:
    """The offset of each tensor; the header is written last, into room kept for it, as it has the digest."""

    def __init__(self, name: str, content: RawDataset) -> None:
        self._texts = {
            "format": FORMAT,
            "name": name,
            "classes": json.dumps(list(content.classes)),
            # names of files may be any bytes, and a header is UTF-8
            "source": content.source.encode("utf-8", "backslashreplace").decode(),
            "note": content.note,
        }
        if content.made_from is not None:
            self._texts["made_from"] = content.made_from.to_text()
        self._shapes: dict[str, tuple[int, ...]] = {
            "train_labels": (len(content.train_labels),),
            "test_labels": (len(content.test_labels),),
            "train_images": (len(content.train_labels), *content.train_shape),
            "test_images": (len(content.test_labels), *content.test_shape),
        }
        self._offsets: dict[str, tuple[int, int]] = {}
        end = 0
        for key in TENSORS:
            begin, end = end, end + int(np.prod(self._shapes[key])) * self.dtype(key).itemsize
            self._offsets[key] = begin, end
        room = len(self._json(_DIGEST_ROOM, (), ())) + 2 * _STATISTICS_ROOM * content.train_shape[-1]
        self._body = -(-(8 + room) // _ALIGNMENT) * _ALIGNMENT

    @staticmethod
    def dtype(key: str) -> np.dtype[Any]:
        return np.dtype("<i8" if key.endswith("labels") else "u1")

    def start(self, key: str) -> int:
        """Return the offset of a tensor from the start of the file, in bytes."""
        return self._body + self._offsets[key][0]

    def mapped(self, file: Path, key: str) -> npt.NDArray[Any]:
        return np.memmap(file, self.dtype(key), mode="r", offset=self.start(key), shape=self._shapes[key])

    def _json(self, digest: str, mean: tuple[float, ...], std: tuple[float, ...]) -> bytes:
        numbers = {"mean": json.dumps(mean), "std": json.dumps(std)}
        tensors = {
            key: {
                "dtype": "I64" if key.endswith("labels") else "U8",
                "shape": self._shapes[key],
                "data_offsets": self._offsets[key],
            }
            for key in TENSORS
        }
        return json.dumps({"__metadata__": {**self._texts, **numbers, "digest": digest}, **tensors}).encode()

    def header(self, digest: str, mean: tuple[float, ...], std: tuple[float, ...]) -> bytes:
        """Return the header of the safetensors format: length (8 bytes, little-endian) and JSON, padded with spaces."""
        length = self._body - 8
        return length.to_bytes(8, "little") + self._json(digest, mean, std).ljust(length)


def channel_statistics(images: Bytes) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return mean and standard deviation of every channel, exact, in one pass over the images.

    A deviation below 1 (images of one colour) becomes 1, so that dividing by it is safe.

    Args:
        images: (N, H, W, C), 0..255.
    """
    counts = np.zeros((images.shape[-1], 256), dtype=np.int64)
    step = max(1, 2**24 // images[0].size)
    for begin in range(0, len(images), step):
        block = images[begin : begin + step]
        for channel, count in enumerate(counts):
            count += np.bincount(block[..., channel].ravel(), minlength=256)
    values = np.arange(256)
    mean = counts @ values / counts.sum(axis=1)
    variance = np.array(
        [(count * (values - m) ** 2).sum() / count.sum() for count, m in zip(counts, mean, strict=True)]
    )
    std = np.maximum(np.sqrt(variance), 1.0)
    return tuple(mean.tolist()), tuple(std.tolist())
