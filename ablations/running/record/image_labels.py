"""The labels of the test images whose outcomes are kept: written once beside these, so that a report needs no data set.

`results/STUDY/outcomes/DIGEST-IMAGES.labels`. The first line says in JSON what the file is: data, number of images,
names of the classes, and the SHA-256 of what follows: one little-endian number for each image, of as few bytes as the
number of classes needs.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ablations.errors import RecordError
from ablations.running.machine.durable import not_written
from ablations.running.record.outcomes import FOLDER, write_kept
from ablations.running.record.packed_file import pack, unpack
from ablations.running.record.schema import NewerSchema
from senet_core.bounded import MIB, read_bounded
from senet_core.errors import printable

SUFFIX = ".labels"
FORMAT, SCHEMA = "senet-ablations labels", 1
MOST_BYTES = 64 * MIB

_DIGEST_DIGITS = 12


@dataclass(frozen=True, eq=False)
class ImageLabels:
    """The labels of test images, in the order of their outcomes.

    Attributes:
        data_digest: of the prepared data set.
        classes: their names.
        labels: (images,) int64, indices into `classes`.
    """

    data_digest: str
    classes: tuple[str, ...]
    labels: npt.NDArray[np.int64]

    def to_bytes(self) -> bytes:
        """Return the content of its file; equal labels have equal bytes."""
        packed = self.labels.astype(_number(len(self.classes))).tobytes()
        header = {
            "format": FORMAT,
            "schema": SCHEMA,
            "data_digest": self.data_digest,
            "images": len(self.labels),
            "classes": list(self.classes),
            "sha256": hashlib.sha256(packed).hexdigest(),
        }
        return pack(header, packed)

    @classmethod
    def from_bytes(cls, content: bytes) -> ImageLabels:
        """Read the content of a file.

        Raises:
            NewerSchema: a newer version wrote it.
            ValueError: it is none of ours, or is not whole.
        """
        fields = ("data_digest", "images", "classes", "sha256")
        (digest, images, names, sha256), packed = unpack(content, FORMAT, SCHEMA, *fields)
        named = isinstance(names, list) and names and all(isinstance(name, str) for name in names)
        if not (named and isinstance(digest, str) and type(images) is int and images > 0):
            raise ValueError("its first line is not what it should be")
        if hashlib.sha256(packed).hexdigest() != sha256:
            raise ValueError("its content is not that of which it has the hash")
        kind = _number(len(names))
        if len(packed) != images * kind.itemsize:
            raise ValueError(f"it has {len(packed):,} bytes for {images:,} images")
        labels = np.frombuffer(packed, kind).astype(np.int64)
        if labels.max() >= len(names):
            raise ValueError(f"it has labels beyond its {len(names):,} classes")
        return cls(digest, tuple(map(printable, names)), labels)


def labels_file(folder: Path, data_digest: str, images: int) -> Path:
    """Return the file of the labels of so many test images of a prepared data set.

    Args:
        folder: results/STUDY.
        data_digest: 64 hexadecimal digits; of anything else, no file is named after it.
        images: how many.
    """
    named = data_digest[:_DIGEST_DIGITS] if data_digest.isalnum() else "none"
    return folder / FOLDER / f"{named}-{images}{SUFFIX}"


def read_labels(folder: Path, data_digest: str, images: int) -> ImageLabels | None:
    """Read the labels of so many test images of a prepared data set; None where they are not there.

    Raises:
        RecordError: the file is damaged, or has the labels of other images.
    """
    path = labels_file(folder, data_digest, images)
    try:
        found = ImageLabels.from_bytes(read_bounded(path, MOST_BYTES))
    except FileNotFoundError:
        return None
    except NewerSchema as error:
        raise RecordError(f"the labels {path} cannot be read here: {error}") from error
    except (OSError, ValueError) as error:
        why = (error.strerror or error) if isinstance(error, OSError) else error
        raise RecordError(
            f"the labels {path} are damaged: {why}; remove that file, and the next `ablate run` writes it again"
        ) from error
    if (found.data_digest, len(found.labels)) != (data_digest, images):
        raise RecordError(
            f"the labels {path} are of other images; remove that file, and the next `ablate run` writes it again"
        )
    return found


def keep_labels(folder: Path, labels: ImageLabels) -> None:
    """Write labels, unless they are there.

    Raises:
        DiskError: they cannot be written.
    """
    path, content = labels_file(folder, labels.data_digest, len(labels.labels)), labels.to_bytes()
    if len(content) > MOST_BYTES:
        return
    try:
        with_the_same = path.is_file() and read_bounded(path, MOST_BYTES) == content
    except OSError:
        with_the_same = False
    try:
        if not with_the_same:
            write_kept(path, content)
    except OSError as error:
        raise not_written(f"the labels {path}", error, chosen=False) from error


def _number(classes: int) -> np.dtype[Any]:
    return np.min_scalar_type(classes - 1).newbyteorder("<")
