"""Reading studies: shipped ones by name, the user's by path, with the changes of the command line."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from copy import deepcopy
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ablations.errors import DataError, StudyError
from ablations.planning.explain import explain
from ablations.planning.networks.data_path import absolute_path, gives_path, place_data
from ablations.planning.networks.recipes.weights import Written, mark_written, place_weights
from ablations.planning.study import SET_BY_ITSELF, Study
from ablations.planning.study_kinds import study_class
from ablations.planning.typed_study import TypedStudy
from ablations.planning.yaml_text import MOST_CHARACTERS, read_yaml
from senet_core.bounded import read_bounded
from senet_core.errors import nearest, unknown
from senet_core.plugins import load_plugin_file

SHIPPED = files("ablations") / "studies"
_SUFFIXES = (".yaml", ".yml")


def shipped_studies() -> list[str]:
    """Return the names of the shipped studies, sorted."""
    return sorted(entry.name[: -len(".yaml")] for entry in SHIPPED.iterdir() if entry.name.endswith(".yaml"))


def shipped_text(name: str) -> str:
    """Return the text of a shipped study's file.

    Raises:
        StudyError: no shipped study has this name.
    """
    if name not in shipped_studies():
        raise unknown("shipped study", name, shipped_studies(), error=StudyError)
    return (SHIPPED / f"{name}.yaml").read_text(encoding="utf-8")


def load_study(
    study: str | Mapping[str, Any],
    *,
    overrides: Sequence[str] = (),
    seeds: int | None = None,
    plugins: Sequence[str] = (),
) -> Study:
    """Return a study with the changes of the command line.

    Args:
        study: a shipped study's name, the path of a YAML file, or the fields themselves, with a `name`.
        overrides: FIELD=VALUE texts with dotted fields; values are read as YAML.
        seeds: number of seeds, 0 to seeds - 1, instead of the study's own.
        plugins: plug-in files to load, beside those that the study names.

    Raises:
        StudyError: the file cannot be read, or a field or a plug-in is wrong.
    """
    if isinstance(study, str):
        name, text, folder = _read(study)
        content = _mapping(name, text)
    else:
        content, folder = deepcopy(dict(study)), Path()
        name = content.pop("name", "study")
    mark_written(content)
    for override in overrides:
        _apply(name, content, override)
        _with_weights(name, content, Path(), str)
        if gives_path(override):
            _placed(name, content)
    home = _home(name, content, folder)
    anchored = "folder" in content or (isinstance(study, str) and study not in shipped_studies())
    near = os.path.abspath(home) if anchored else ""
    _placed(name, content, home, near=near)
    _with_weights(name, content, home, Written)
    content["folder"] = near
    for field in SET_BY_ITSELF:
        if field in content:
            raise StudyError(
                f"study {name!r}: {field!r} is not for the user to set; the file's name is the study's"
            )
    shown = list(overrides)
    if seeds is not None:
        content["seeds"] = seeds
        shown.append(f"seeds={seeds}")
    listed = content.get("plugins", [])
    if not isinstance(listed, list) or not all(isinstance(file, str) for file in listed):
        raise StudyError(f"study {name!r}: plugins must be a list of files, got {listed!r}")
    content["plugins"] = [*(_beside(home, file) for file in listed), *plugins]
    for file in content["plugins"]:
        load_plugin_file(file)
    typed: tuple[str, ...] = ()
    if isinstance(study, str):
        typed = TypedStudy(study, tuple(overrides), seeds, tuple(plugins)).words
    return parse_study({**content, "name": name, "overrides": shown, "typed": typed})


def read_fields(study: str | Path | Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a study as its file has them, with its name.

    Raises:
        StudyError: the file cannot be read.
    """
    if isinstance(study, Mapping):
        return deepcopy(dict(study))
    name, text, folder = _read(str(study))
    fields = _mapping(name, text)
    shipped = str(study) in shipped_studies()
    return {**({} if shipped else {"folder": os.path.abspath(folder)}), **fields, "name": name}


def load_typed(asked: TypedStudy) -> Study:
    """Return a study as it was typed; see `load_study`."""
    return load_study(asked.study, overrides=asked.overrides, seeds=asked.seeds, plugins=asked.plugins)


def _beside(folder: Path, file: str) -> str:
    return file if file.startswith("~") else str(folder / file)  # the home folder is not beside the study


def _home(name: str, content: Mapping[str, Any], folder: Path) -> Path:
    """Return the folder that the paths of a study are relative to.

    Raises:
        StudyError: the field `folder` is no path.
    """
    given = content.get("folder", "")
    if not isinstance(given, str):
        raise StudyError(f"study {name!r}: folder must be text, got {given!r}")
    try:
        return Path(absolute_path(given, folder)) if given else folder
    except DataError as error:
        raise StudyError(f"study {name!r}: folder: {error}") from error


def _placed(name: str, content: dict[str, Any], folder: Path = Path(), *, near: str = "") -> None:
    try:
        place_data(content, folder, near=near)
    except DataError as error:
        raise StudyError(f"study {name!r}: baseline.data: {error}") from error


def _with_weights(name: str, content: dict[str, Any], folder: Path, kind: type[str]) -> None:
    try:
        place_weights(content, folder, kind)
    except (StudyError, DataError) as error:
        raise StudyError(f"study {name!r}: {error}") from error


def parse_study(content: Mapping[str, Any]) -> Study:
    """Return the study with these fields.

    Raises:
        StudyError: a field is wrong; the message has the first.
    """
    try:
        return study_class(content).model_validate(dict(content))
    except ValidationError as error:
        raise StudyError(f"study {content.get('name', '?')!r}: {explain(error)}") from error


def _read(name_or_path: str) -> tuple[str, str, Path]:
    path = Path(name_or_path)
    if name_or_path in shipped_studies():
        return name_or_path, shipped_text(name_or_path), Path(str(SHIPPED))
    if path.suffix not in _SUFFIXES:
        if path.is_dir():
            raise StudyError(f"{name_or_path!r} is a folder; give a .yaml file or a shipped study's name")
        near = _file_near(path) or nearest(name_or_path, shipped_studies())
        hint = f" did you mean {near!r}?" if near else ""
        raise StudyError(
            f"unknown study {name_or_path!r};{hint} shipped: {', '.join(shipped_studies())}; or give a .yaml file"
        )
    try:
        return path.stem, read_bounded(path, MOST_CHARACTERS).decode("utf-8"), path.parent
    except UnicodeDecodeError as error:
        raise StudyError(f"study {name_or_path!r} is not a text file in UTF-8") from error
    except OSError as error:
        near = _file_near(path) if isinstance(error, FileNotFoundError) else None
        hint = f"; did you mean {near!r}?" if near else ""
        raise StudyError(f"cannot read study {name_or_path!r}: {error.strerror or error}{hint}") from error


def _file_near(path: Path) -> str | None:
    """Return the study file that was probably meant: of the same name, or nearly, in the same folder."""
    try:
        there = sorted(file.name for file in path.parent.iterdir() if file.suffix in _SUFFIXES)
    except OSError:
        return None
    same = [name for name in there if Path(name).stem == path.stem]
    near = same[0] if same else nearest(path.name, there) if path.suffix in _SUFFIXES else None
    return str(path.with_name(near)) if near else None


def _mapping(name: str, text: str) -> dict[str, Any]:
    try:
        content = read_yaml(text)
    except StudyError as error:
        blanks = "; lines are indented by blanks, never by tabs" if "'\\t'" in str(error) else ""
        raise StudyError(f"study {name!r} is not valid YAML: {error}{blanks}") from error
    if content is None:
        raise StudyError(f"study {name!r} is empty; `ablate init NAME` writes one to begin with")
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        raise StudyError(f"study {name!r} must be a mapping of fields such as title, baseline and axes")
    return content


def _apply(name: str, content: dict[str, Any], override: str) -> None:
    field, separator, text = override.partition("=")
    field = field.strip()
    if not separator or not field:
        raise StudyError(f"`overrides` takes FIELD=VALUE, such as recipe.epochs=30, got {override!r}")
    try:
        value = read_yaml(text)
    except StudyError as error:
        raise StudyError(f"`overrides` {field}: {error}") from error
    *parents, last = field.split(".")
    if field.startswith("axes.recipe."):  # an axis may have a dot in its name
        parents, last = ["axes"], field[len("axes.") :]
    place = content
    for parent in parents:
        inner = place.get(parent)
        if isinstance(inner, str):  # a short form: `recipe: cifar-quick`, `data: cifar10`, `variant: se`
            inner = _long_form(parent, inner)
        elif inner is None:
            inner = {}
        if not isinstance(inner, dict):
            raise StudyError(f"study {name!r}: `overrides` {field}: {parent!r} has no fields")
        place[parent] = dict(inner)
        place = place[parent]
    place[last] = value


def _long_form(field: str, short: str) -> dict[str, Any]:
    if field == "recipe":
        return {"base": short}
    if field == "data":
        return {"name": short}
    if field == "variant":
        from dataclasses import asdict

        from senet_core.variants.text import parse_variant

        variant = parse_variant(short)
        if variant is not None:
            return asdict(variant)
    raise StudyError(f"`overrides`: {field!r} is {short!r}, which has no fields")
