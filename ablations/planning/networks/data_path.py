"""The path of a folder of images: found from where it was typed, and spelled in one way, which is part of keys.

A path in a study file is relative to the file's folder, as plug-ins are; one that is typed, or given in Python, to the
working folder. In keys and records it is relative to the study's folder if the images lie in that or in the folder
above it, so that a project can be moved; otherwise it is absolute. Links are resolved first.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from ablations.errors import DataError
from ablations.planning.yaml_text import read_yaml, yaml_value
from senet_core.errors import UserError, one_line

FIELD = "baseline.data.path"
_AXIS = "axes.data"
_PLACES = (FIELD, _AXIS)


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
    """Make the paths of a study's images absolute, or spell them as keys have them.

    Args:
        study: fields of a study, in which paths are replaced; what is not of the right form is left for the checks.
        folder: what they are relative to; the working folder if not given.
        near: the study's folder, where the paths shall be spelled; empty for absolute ones.
    """

    def place(path: str) -> str:
        found = absolute_path(path, folder)
        return spelled(found, near) if near else found

    baseline, axes = _fields(study.get("baseline")), _fields(study.get("axes"))
    data = _fields(baseline.get("data"))
    if (placed := _placed(data, place)) != data:
        study["baseline"] = {**baseline, "data": placed}
    listed = axes.get("data")
    if isinstance(listed, list | tuple) and (each := _each_placed(listed, place)) != [*listed]:
        study["axes"] = {**axes, "data": each}


def _placed(data: Mapping[str, Any], place: Callable[[str], str]) -> dict[str, Any]:
    path = data.get("path")
    return {**data, "path": place(path)} if isinstance(path, str) and path else dict(data)


def _each_placed(listed: Iterable[Any], place: Callable[[str], str]) -> list[Any]:
    return [_placed(_fields(data), place) if _fields(data) else data for data in listed]


def _fields(value: object) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping | BaseModel) else {}


def gives_path(override: str) -> bool:
    """Return whether FIELD=VALUE may give a path of images."""
    field = override.partition("=")[0].strip()
    return any(f"{place}.".startswith(f"{field}.") for place in _PLACES)


def from_anywhere(override: str) -> tuple[str, ...]:
    """Return FIELD=VALUE texts that mean the same in any folder."""
    if not gives_path(override):
        return (override,)
    field, _, text = override.partition("=")
    if f"{_AXIS}.".startswith(f"{field.strip()}."):
        return (_with_listed(override, absolute_path),)
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
    """Return FIELD=VALUE with the paths of images that were moved together with a study from one folder to another."""

    def place(path: str) -> str:
        inside = os.path.isabs(path) and not os.path.isabs(near := spelled(path, before))
        return absolute_path(near, now) if inside else path

    field, _, text = override.partition("=")
    if field.strip() == FIELD:
        value = read_yaml(text)
        return f"{FIELD}={yaml_value(place(value))}" if isinstance(value, str) else override
    return _with_listed(override, place) if f"{_AXIS}.".startswith(f"{field.strip()}.") else override


def _with_listed(override: str, place: Callable[[str], str]) -> str:
    """Return FIELD=VALUE, which gives the axis of data or all axes, with its paths elsewhere."""
    field, _, text = override.partition("=")
    try:
        value: Any = read_yaml(text)
        listed = value if field.strip() == _AXIS else _fields(value).get("data")
        if not isinstance(listed, list) or (each := _each_placed(listed, place)) == listed:
            return override
    except UserError:  # it is refused where it is read
        return override
    return f"{field}={yaml_value(each if field.strip() == _AXIS else {**value, 'data': each})}"
