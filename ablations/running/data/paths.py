"""Where the prepared files of the known data sets stand."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

from pydantic import ValidationError

from ablations.planning.datasets import DATASETS, Dataset, check_fields, dataset
from ablations.planning.explain import explain
from ablations.planning.trial import DataSpec
from senet_core.errors import UserError

__all__ = [
    "DATASETS",
    "Dataset",
    "data_spec",
    "dataset",
    "default_data_dir",
    "folder_and_size",
    "prepared_path",
]


def data_spec(name: str, *, path: str | None = None, size: int | None = None) -> DataSpec:
    """Make the specification of a whole data set.

    Raises:
        UserError: the name is unknown, or a field is missing, out of range or of no use for it.
    """
    try:
        return DataSpec(name=name, path=path, size=size)
    except ValidationError as error:
        raise UserError(explain(error)) from error


def default_data_dir() -> Path:
    """Return the folder of the prepared files: ABLATE_DATA_DIR, else `data` in the working directory."""
    return Path(os.environ.get("ABLATE_DATA_DIR") or "data")


def prepared_path(spec: DataSpec, data_dir: Path) -> Path:
    """Say where the prepared file of a data set stands, whether it exists or not.

    Subset sizes play no part: a subset is taken from the whole file. For `image-folder` the name carries a
    hash of path and size, so that two folders, or two sizes of one, never share a file.

    Raises:
        UserError: the name is unknown, or an image folder lacks its path or size.
    """
    dataset(spec.name)
    if spec.name != "image-folder":
        return data_dir / f"{spec.name}.safetensors"
    folder, size = folder_and_size(spec)
    key = hashlib.sha256(json.dumps([str(folder), size]).encode()).hexdigest()[:12]
    return data_dir / f"{spec.name}-{key}.safetensors"


def folder_and_size(spec: DataSpec) -> tuple[Path, int]:
    """Return the absolute path and the image size (pixels) of an `image-folder`.

    Raises:
        UserError: one of them is missing, or the path can be none.
    """
    check_fields(spec.name, path=spec.path, size=spec.size)
    assert spec.path is not None and spec.size is not None  # noqa: PT018  (just checked)
    try:
        return Path(spec.path).expanduser().resolve(), spec.size
    except (OSError, RuntimeError, ValueError) as error:  # too long, an unknown user's home, a null byte
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise UserError(
            f"the path of the image folder cannot be used: {reason}, got {spec.path[:80]!r}"
        ) from error
