"""The outcomes of finished trials: one bit for each test image, 1 where the first guess was right.

`results/STUDY/outcomes/KEY-HASH.bits` has those of one trial. The first line says in JSON what the file is: trial, data
and number of images; the bits follow, eight to a byte, in the order of the prepared test images. The trial's line in
the record names the SHA-256 of the whole file, and HASH is the beginning of that: two sweeps that train one trial on
different processors write two files, and the line that stands names its own. A file is on the disk before its line.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ablations.errors import RecordError
from ablations.running.machine.durable import sync_folder, write_durably
from ablations.running.record.packed_file import pack, unpack
from ablations.running.record.schema import NewerSchema
from ablations.running.record.trial_record import TrialRecord
from senet_core.bounded import MIB, read_bounded
from senet_core.errors import printable

FOLDER = "outcomes"
SUFFIX = ".bits"
FORMAT, SCHEMA = "senet-ablations outcomes", 1
MOST_BYTES = 8 * MIB
MOST_IMAGES = 8 * (MOST_BYTES - 4096)
"""Limit of the test images whose outcomes are kept; the header has its room."""

_HASH_DIGITS = 8
_KEY = re.compile(r"[0-9A-Za-z_-]{1,64}")
MEND = (
    "put that file back from another copy of the results, or remove the trial's line from trials.jsonl: the trial is"
    " then trained again"
)


@dataclass(frozen=True, eq=False)
class Outcomes:
    """The outcomes of one trial.

    Attributes:
        key: of the trial.
        data_digest: of the prepared data set that it was tested on.
        right: (images,) bool: whether the first guess was right. Two trials with one digest and one number of images
            were tested on the same images in the same order.
    """

    key: str
    data_digest: str
    right: npt.NDArray[np.bool_]

    def to_bytes(self) -> bytes:
        """Return the content of its file; equal outcomes have equal bytes."""
        header = {
            "format": FORMAT,
            "schema": SCHEMA,
            "key": self.key,
            "data_digest": self.data_digest,
            "images": len(self.right),
        }
        return pack(header, np.packbits(self.right).tobytes())

    @classmethod
    def from_bytes(cls, content: bytes) -> Outcomes:
        """Read the content of a file.

        Raises:
            NewerSchema: a newer version wrote it.
            ValueError: it is none of ours, or is not whole.
        """
        fields = ("key", "data_digest", "images")
        (key, digest, images), packed = unpack(content, FORMAT, SCHEMA, *fields)
        if not (isinstance(key, str) and isinstance(digest, str) and type(images) is int and images > 0):
            raise ValueError("its first line is not what it should be")
        if len(packed) != -(-images // 8):
            raise ValueError(f"it has {len(packed):,} bytes for {images:,} images")
        bits = np.unpackbits(np.frombuffer(packed, np.uint8), count=images)
        found = cls(key, digest, bits.astype(np.bool_))
        if found.to_bytes() != content:
            raise ValueError("it says more than such a file does")
        return found


def hash_of(content: bytes) -> str:
    """Return what the record says of a file: the SHA-256 of its content."""
    return hashlib.sha256(content).hexdigest()


def check_outcomes(content: bytes, line: TrialRecord) -> Outcomes:
    """Return the outcomes in a file, which must be those that a line of the record speaks of.

    Raises:
        ValueError: they are damaged, or another trial's.
    """
    found = Outcomes.from_bytes(content)
    if found.key != (line.written_as or line.key):
        raise ValueError(f"it is of trial {printable(found.key)[:64]}")
    if line.result is None or hash_of(content) != line.result.outcomes_sha256:
        raise ValueError("its content is not that which the record names")
    if found.data_digest != line.data_digest:
        raise ValueError("it is of other data than the trial")
    wrong, images = int(np.count_nonzero(~found.right)), len(found.right)
    error = line.result.value("top1_error")  # of a network; other experiments were checked when they ended
    if error is not None and 100 * wrong / images != error:
        raise ValueError(
            f"it has {wrong:,} wrong answers of {images:,}, and the record an error of {error} %"
        )
    return found


def outcomes_file(folder: Path, line: TrialRecord) -> Path | None:
    """Return the file of a line's outcomes; None where it has none.

    Args:
        folder: results/STUDY.
        line: of the record.

    Raises:
        RecordError: its key is none, so that no file may be named after it.
    """
    if line.result is None or line.result.outcomes_sha256 is None:
        return None
    if not _KEY.fullmatch(line.key):
        raise RecordError(f"{folder / FOLDER}: {line.key[:64]!r} is no trial's key")
    return (
        folder
        / FOLDER
        / f"{line.written_as or line.key}-{line.result.outcomes_sha256[:_HASH_DIGITS]}{SUFFIX}"
    )


def key_of(path: Path) -> str:
    """Return the key of the trial that a file is named after."""
    return path.name.rpartition("-")[0]


def read_outcomes(folder: Path, line: TrialRecord) -> Outcomes | None:
    """Read the outcomes of a line of the record; None where it has none.

    Raises:
        RecordError: the file is missing or damaged, or has other outcomes than the line says.
    """
    path = outcomes_file(folder, line)
    if path is None:
        return None
    try:
        return check_outcomes(read_bounded(path, MOST_BYTES), line)
    except FileNotFoundError as error:
        raise RecordError(f"the outcomes {path} are missing; {MEND}") from error
    except OSError as error:
        raise RecordError(f"cannot read the outcomes {path}: {error.strerror or error}; {MEND}") from error
    except NewerSchema as error:
        raise RecordError(f"the outcomes {path} cannot be read here: {error}") from error
    except ValueError as error:
        raise RecordError(f"the outcomes {path} are damaged: {error}; {MEND}") from error


def write_kept(path: Path, content: bytes) -> None:
    """Write a file that belongs to lines of the record; it is on the disk when this returns, or not there.

    Raises:
        OSError: it cannot be written.
    """
    if not path.parent.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        sync_folder(path.parent.parent)
    write_durably(path, content)
