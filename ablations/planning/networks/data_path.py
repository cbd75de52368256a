"""The path of a folder of images: found from where it was typed, and spelled in one way, which is part of keys.

A path in a study file is relative to the file's folder, as plug-ins are; one that is typed, or given in Python, to the
working folder. In keys and records it is relative to the study's folder if the images lie in that or in the folder
above it, so that a project can be moved; otherwise it is absolute. Links are resolved first.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from ablations.errors import DataError
from ablations.planning.yaml_text import read_yaml, yaml_value
from senet_core.errors import UserError, one_line

FIELD = "baseline.data.path"


def absolute_path(path: str, folder: str | Path = "") -> str:
    """Return a path, which may begin with `~`, without what leads nowhere.

    Args:
        path: as typed.
        folder: what it is relative to; the working folder if not given.

    Raises:
        DataError: the path cannot be used.
    """
    try:
        typed = os.path.expanduser(path)  # not pathlib's, which takes ./~ for ~
        if typed.startswith("~"):
            raise ValueError("there is no such home folder")
        whole = os.path.join(os.path.abspath(folder), typed)
        plain, real = os.path.normpath(whole), os.path.realpath(whole)
        # behind a link, `..` is not the folder above its name
        return plain if os.path.realpath(plain) == real else real
    except (OSError, ValueError) as error:  # a null byte
        reason = getattr(error, "strerror", None) or one_line(error)
        raise DataError(f"the path cannot be used: {reason}, got {path[:80]!r}") from error


def spelled(path: str, folder: str) -> str:
    """Return the one spelling of a path in keys and records.

    Args:
        path: absolute.
        folder: of the study; absolute.
    """
    real = os.path.realpath(path)
    for images, home in ((real, os.path.realpath(folder)), (path, folder)):
        above = os.path.dirname(home)
        if _is_in(images, home) or (_is_in(images, above) and above != os.path.dirname(above)):
            near = Path(os.path.relpath(images, home)).as_posix()
            near = f"./{near}" if near.startswith("~") else near
            if os.path.realpath(absolute_path(near, folder)) == real:
                return near
    return Path(real).as_posix()


def _is_in(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def place_data(study: dict[str, Any], folder: str | Path = "", *, near: str = "") -> None:
    """Make the path of a study's images absolute, or spell it as keys have it.

    Args:
        study: fields of a study, in which the path is replaced; what is not of the right form is left for the checks.
        folder: what it is relative to; the working folder if not given.
        near: the study's folder, where the path shall be spelled; empty for an absolute one.
    """
    baseline = _fields(study.get("baseline"))
    data = _fields(baseline.get("data"))
    path = data.get("path")
    if isinstance(path, str) and path:
        found = absolute_path(path, folder)
        study["baseline"] = {**baseline, "data": {**data, "path": spelled(found, near) if near else found}}


def _fields(value: object) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping | BaseModel) else {}


def gives_path(override: str) -> bool:
    """Return whether FIELD=VALUE may give the path of the images."""
    return f"{FIELD}.".startswith(f"{override.partition('=')[0].strip()}.")


def from_anywhere(override: str) -> tuple[str, ...]:
    """Return FIELD=VALUE texts that mean the same in any folder."""
    if not gives_path(override):
        return (override,)
    field, _, text = override.partition("=")
    try:
        value: Any = read_yaml(text)
        for name in FIELD.split(".")[len(field.strip().split(".")) :]:
            value = _fields(value).get(name)
        if not isinstance(value, str) or not value or os.path.isabs(value):
            return (override,)
        placed = f"{FIELD}={yaml_value(absolute_path(value))}"
    except UserError:  # it is refused where it is read
        return (override,)
    return (placed,) if field.strip() == FIELD else (override, placed)


def moved(override: str, before: str, now: str) -> str:
    """Return FIELD=VALUE with the path of images that were moved together with a study from one folder to another."""
    field, _, text = override.partition("=")
    value = read_yaml(text) if field.strip() == FIELD else None
    if not isinstance(value, str) or os.path.isabs(near := spelled(value, before)):
        return override
    return f"{FIELD}={yaml_value(absolute_path(near, now))}"
