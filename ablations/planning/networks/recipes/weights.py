"""The weights that a training begins with: a file, which a study names and a trial knows by its digest."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from ablations.errors import StudyError
from ablations.planning.networks.data_path import absolute_path
from ablations.planning.yaml_text import read_yaml, yaml_value
from senet_core.bounded import open_plain
from senet_core.errors import UserError, printable

TORCHVISION = "torchvision"
"""Instead of a file: torchvision's own for ImageNet, version 1, of the backbone's name."""

ENDINGS = (".pth", ".pt", ".safetensors")
FOUND: dict[str, Path] = {}
"""Where the files are that studies of this process named, by digest; a sweep copies them to its data."""

_PINNED = re.compile(r"(?:(?P<name>.+)@)?sha256:(?P<digest>[0-9a-f]{64})", re.DOTALL)
_PIECE = 2**20


def check_weights(value: str) -> str:
    """Return what a recipe may hold: "torchvision", or a digest, with the file's name or without.

    Raises:
        ValueError: it is something else.
    """
    if value != TORCHVISION and _PINNED.fullmatch(value) is None:
        raise ValueError(f"give {TORCHVISION!r} or a file, which is read with its study, got {value[:80]!r}")
    return value


def digest_of(weights: str) -> str | None:
    """Return the SHA-256 of the file, 64 hexadecimal digits; None for torchvision's."""
    match = _PINNED.fullmatch(weights)
    return match["digest"] if match else None


def nameless(weights: str) -> str:
    """Return weights as trials have them: under another name they are the same."""
    digest = digest_of(weights)
    return weights if digest is None else f"sha256:{digest}"


def shown(weights: str) -> str:
    """Return weights as a row's label has them: by the name of their file."""
    match = _PINNED.fullmatch(weights)
    return weights if match is None else match["name"] or match["digest"][:12]


class Written(str):
    """Weights as a study's file says them; what is typed is a plain text."""


class _Placed(str):
    """Weights that have their digest."""


def mark_written(content: dict[str, Any]) -> None:
    """Mark the weights that a study's file says, whose paths are relative to it, before it is changed."""
    _change(content, lambda value: Written(value) if isinstance(value, str) else value)


def place_weights(content: dict[str, Any], folder: str | Path, kind: type[str] = str) -> None:
    """Give the files of weights that a study names their digests.

    Args:
        content: fields of a study, in which they are replaced; what is of the wrong form is left for the checks.
        folder: what their paths are relative to.
        kind: of the values that are placed: `Written` or typed ones.

    Raises:
        StudyError: a file cannot be read, or is another than its digest says.
    """

    def placed(value: object) -> object:
        return _Placed(pinned(str(value), folder)) if type(value) is kind else value

    _change(content, placed)
    if kind is Written:  # the last step: what pydantic and YAML see is plain text
        _change(content, lambda value: str(value) if isinstance(value, str) else value)


def pinned(weights: str, folder: str | Path) -> str:
    """Return NAME@sha256:DIGEST of a file, which may be given with its digest; it may then be missing.

    Raises:
        StudyError: it cannot be read, or has another digest.
    """
    if weights == TORCHVISION or weights.startswith("sha256:"):
        return weights
    path, _, said = weights.partition("@sha256:")
    place = Path(absolute_path(path, folder))
    try:
        if place.suffix not in ENDINGS:
            raise StudyError(
                f"weights {path!r}: give {TORCHVISION!r} or a file that ends with {', '.join(ENDINGS[:-1])} or "
                f"{ENDINGS[-1]}"
            )
        found = place.stat()
        digest = _digest(place, found.st_size, found.st_mtime_ns)
    except OSError as error:
        if said:
            return f"{_name(place)}@sha256:{said}"
        raise StudyError(
            f"weights {path!r} cannot be read: {error.strerror or error}; where only a record is read, their digest is "
            "enough: FILE@sha256:DIGEST, as reports have it"
        ) from error
    if said not in ("", digest):
        raise StudyError(f"weights {path!r} have the digest {digest[:12]}, and the study says {said[:12]}")
    FOUND[digest] = place
    return f"{_name(place)}@sha256:{digest}"


def _name(path: Path) -> str:
    return " ".join(printable(path.name).split())


@lru_cache(maxsize=64)
def _digest(path: Path, size: int, changed: int) -> str:
    digest = hashlib.sha256()
    with open_plain(path) as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def _change(content: dict[str, Any], change: Callable[[object], object]) -> None:
    """Change every value of weights in the fields of a study: the recipe's, an axis's, a choice's."""
    recipe, axes, tune = (content.get(name) for name in ("recipe", "axes", "tune"))
    if isinstance(recipe, Mapping) and "weights" in recipe:
        content["recipe"] = {**recipe, "weights": change(recipe["weights"])}
    if isinstance(axes, Mapping) and isinstance(values := axes.get("recipe.weights"), list | tuple):
        content["axes"] = {**axes, "recipe.weights": [change(value) for value in values]}
    ranges = tune.get("ranges") if isinstance(tune, Mapping) else None
    chosen = ranges.get("weights") if isinstance(ranges, Mapping) else None
    if isinstance(chosen, Mapping) and isinstance(values := chosen.get("choices"), list | tuple):
        choices = {**chosen, "choices": [change(value) for value in values]}
        content["tune"] = {**tune, "ranges": {**ranges, "weights": choices}}  # type: ignore[dict-item]


def from_anywhere(override: str) -> str:
    """Return FIELD=VALUE so that it means the same in any folder: paths of weights are made absolute."""
    field, _, text = override.partition("=")
    axis = "axes.recipe.weights"
    keys = axis.split(".", 1) if field.strip() == axis else field.strip().split(".")
    changed = False

    def absolute(value: object) -> object:
        nonlocal changed
        if not isinstance(value, str) or value == TORCHVISION or value.startswith("sha256:"):
            return value
        changed = True
        return absolute_path(value)

    try:
        content: Any = read_yaml(text)
        for key in reversed(keys):
            content = {key: content}
        _change(content, absolute)
    except UserError:  # it is refused where it is read
        return override
    for key in keys:
        content = content[key]
    return f"{field}={yaml_value(content)}" if changed else override
