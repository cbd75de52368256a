"""Values of factors: any value that JSON has a form for, and files by their content."""

from __future__ import annotations

import hashlib
import json
import math
import reprlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ablations.planning.labels import number_text
from senet_core.bounded import MIB, read_bounded

FILE = "file"
"""A value {file: PATH} is a file, known by its content."""

MOST_BYTES = 64 * MIB
"""Limit of such a file."""

LONGEST_TEXT = 40
"""Characters of a value in a label; the rest is cut."""


def canonical(value: object, folder: str) -> Any:
    """Return the canonical form of a factor's value: JSON, with a file's digest beside its path.

    Args:
        value: as a study file has it.
        folder: that paths are relative to.

    Raises:
        ValueError: it has no form in JSON, or its file cannot be read.
    """
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, (int, float)):
        if not math.isfinite(value):
            raise ValueError(f"numbers must be finite, got {value!r}")
        # 1.0 and 1 are one value in YAML's eyes, and in argparse's are not: what was written stays
        return value
    if isinstance(value, (list, tuple)):
        return [canonical(inner, folder) for inner in value]
    if isinstance(value, Mapping):
        if set(value) == {FILE}:
            return _file(value[FILE], folder)
        if all(isinstance(name, str) for name in value):
            return {name: canonical(inner, folder) for name, inner in value.items()}
    raise ValueError(
        f"a value is a number, a text, true or false, a list of them or {{file: PATH}}, got {reprlib.repr(value)}"
    )


def _file(path: object, folder: str) -> dict[str, str]:
    if not isinstance(path, str) or not path:
        raise ValueError(f"file must be the path of a file, got {path!r}")
    try:
        content = read_bounded(Path(folder) / Path(path).expanduser(), MOST_BYTES)
    except (OSError, ValueError) as error:
        raise ValueError(
            f"cannot read the file {path!r}: {getattr(error, 'strerror', None) or error}"
        ) from error
    return {FILE: path, "sha256": hashlib.sha256(content).hexdigest()[:16]}


def value_text(value: Any) -> str:
    """Return a canonical value as people read it: "0.1", "true", "64, 128", "config.yaml"."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return number_text(value) if isinstance(value, float) else str(value)
    if isinstance(value, list):
        return _cut(", ".join(map(value_text, value)) or "nothing")
    if isinstance(value, dict):
        return Path(value[FILE]).name if FILE in value else _cut(json.dumps(value))
    return _cut(str(value)) or "empty"


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_TEXT else line[: LONGEST_TEXT - 1] + "…"
