"""The probabilities that a network gave, in results/STUDY/tests/KEY.probabilities, of which ensembles are made.

Large, no part of the record, and made again from the network's weights where they are missing.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ablations.running.machine.durable import not_written
from ablations.running.record.outcomes import write_kept
from ablations.running.record.packed_file import pack, unpack
from ablations.running.record.tested.lines import FOLDER
from senet_core.bounded import GIB, read_bounded

SUFFIX = ".probabilities"
FORMAT, SCHEMA = "senet-ablations probabilities", 1
MOST_BYTES = 4 * GIB


def keep_probabilities(folder: Path, key: str, given: npt.NDArray[np.float32]) -> None:
    """Write the probabilities of a test, (images, classes).

    Raises:
        DiskError: the file cannot be written.
    """
    packed = given.astype("<f4").tobytes()
    header = {
        "format": FORMAT,
        "schema": SCHEMA,
        "key": key,
        "shape": list(given.shape),
        "sha256": hashlib.sha256(packed).hexdigest(),
    }
    path = folder / FOLDER / f"{key}{SUFFIX}"
    try:
        write_kept(path, pack(header, packed))
    except OSError as error:
        raise not_written(f"the probabilities {path}", error, chosen=False) from error


def read_probabilities(folder: Path, key: str) -> npt.NDArray[np.float32] | None:
    """Read the probabilities of a test; None where they are not there, or the file is not whole."""
    try:
        content = read_bounded(folder / FOLDER / f"{key}{SUFFIX}", MOST_BYTES)
        (said, shape, sha256), packed = unpack(content, FORMAT, SCHEMA, "key", "shape", "sha256")
        if said != key or hashlib.sha256(packed).hexdigest() != sha256:
            return None
        return np.frombuffer(packed, "<f4").astype(np.float32).reshape(shape)
    except (OSError, ValueError, TypeError):
        return None
