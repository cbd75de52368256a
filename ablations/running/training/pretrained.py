"""Trained weights that trainings begin with: kept beside the prepared data by their digest, and read from there."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from torch import Tensor

from ablations.errors import DataError
from ablations.planning.networks.recipes.weights import FOUND, digest_of
from ablations.running.machine.durable import write_durably
from senet_core.bounded import GIB, read_bounded
from senet_core.weights import read_state_dict

FOLDER = "weights"
MOST_BYTES = 32 * GIB
"""Limit of a file: weights of eight thousand million parameters."""


def keep_weights(wanted: Iterable[str], data_dir: Path) -> None:
    """Copy the files of weights that a study names beside the prepared data, where workers find them.

    Raises:
        DataError: a file is neither there nor where the study says, or was changed since the study was read.
    """
    for weights in dict.fromkeys(wanted):
        digest = digest_of(weights)
        if digest is not None and not _place(digest, data_dir).is_file():
            content = _content(_found(weights, digest), digest, weights)
            _place(digest, data_dir).parent.mkdir(parents=True, exist_ok=True)
            write_durably(_place(digest, data_dir), content)


def open_weights(weights: str | None, data_dir: Path) -> Mapping[str, Tensor] | None:
    """Return the state dict that a training begins with; None where it begins at random or with torchvision's.

    Raises:
        DataError: the file is not there or was changed.
        UserError: it holds no state dict.
    """
    digest = None if weights is None else digest_of(weights)
    if weights is None or digest is None:
        return None
    place = _place(digest, data_dir)
    if not place.is_file() and digest in FOUND:
        place = FOUND[digest]
    if not place.is_file():
        raise DataError(
            f"weights {weights!r} are not in {place.parent} on this machine: put their file where the study says, or"
            " copy the folder"
        )
    return read_state_dict(_content(place, digest, weights), repr(weights))


def find_state(weights: str) -> Mapping[str, Tensor] | None:
    """Return the state dict of a file that a study of this process names; None where it is known by its digest alone.

    Raises:
        DataError: it was changed since the study was read.
        UserError: it holds no state dict.
    """
    digest = digest_of(weights)
    if digest is None or digest not in FOUND:
        return None
    return read_state_dict(_content(FOUND[digest], digest, weights), repr(weights))


def _place(digest: str, data_dir: Path) -> Path:
    return data_dir / FOLDER / digest


def _found(weights: str, digest: str) -> Path:
    if digest not in FOUND:
        raise DataError(f"weights {weights!r} are missing: put their file where the study says")
    return FOUND[digest]


def _content(path: Path, digest: str, weights: str) -> bytes:
    try:
        content = read_bounded(path, MOST_BYTES)
    except OSError as error:
        raise DataError(
            f"weights {weights!r} cannot be read from {path}: {error.strerror or error}"
        ) from error
    if hashlib.sha256(content).hexdigest() != digest:
        raise DataError(
            f"weights {weights!r} were changed: {path} has another digest; put the file back as it was"
        )
    return content
