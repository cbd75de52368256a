"""The specification of a data set by its name, and the path of its prepared file."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

from pydantic import ValidationError

from ablations.errors import DataError
from ablations.planning.explain import explain
from ablations.planning.networks.data_path import absolute_path
from ablations.planning.networks.data_spec import DataSpec


def data_spec(name: str, *, path: str | None = None, size: int | None = None) -> DataSpec:
    """Return the specification of a whole data set.

    Raises:
        DataError: the name is unknown, or a field is missing, out of range or of no use for it.
    """
    try:
        return DataSpec(name=name, path=path, size=size)
    except ValidationError as error:
        raise DataError(explain(error)) from error


def prepared_path(spec: DataSpec, data_dir: Path) -> Path:
    """Return the path of a data set's prepared file, whether it exists or not.

    Subset sizes do not matter: a subset is taken from the whole file. The name of an `image-folder` has a hash of
    path and size, so that two folders, or two sizes of one, never share a file; that of other images of many sizes has
    the size.

    Raises:
        DataError: the path of an image folder cannot be used.
    """
    if spec.name != "image-folder":
        sized = "" if spec.size is None else f"-{spec.size}"
        return data_dir / f"{spec.name}{sized}.safetensors"
    folder, size = folder_and_size(spec)
    key = hashlib.sha256(json.dumps([str(folder), size]).encode()).hexdigest()[:12]
    return data_dir / f"{spec.name}-{key}.safetensors"


def folder_and_size(spec: DataSpec) -> tuple[Path, int]:
    """Return the absolute path and the image size (pixels) of an `image-folder`.

    Raises:
        DataError: the path cannot be used.
    """
    assert spec.images is not None and spec.size is not None  # noqa: PT018  (DataSpec has checked both)
    return Path(os.path.realpath(absolute_path(spec.images))), spec.size
