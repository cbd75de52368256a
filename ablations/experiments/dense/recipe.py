"""The recipes of detection and segmentation: their fields, the defaults, and what is accepted."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ablations.errors import StudyError
from ablations.experiments.fields.checks import check_fields

PREFIX = "recipe."
"""What the names of factors begin with that are fields of the recipe."""

SCHEDULES = ("step", "cosine")
OPTIMIZERS = ("sgd", "adamw")


@dataclass(frozen=True)
class RecipeField:
    """A field of a recipe.

    Attributes:
        default: where a study says nothing.
        accepts: its values, in words.
        parse: returns the canonical form of a value; raises ValueError where it is none.
    """

    default: Any
    accepts: str
    parse: Callable[[Any], Any]


def _whole(least: int, most: int = 10**9) -> Callable[[Any], int]:
    def parse(value: Any) -> int:
        if type(value) is not int or not least <= value <= most:
            raise ValueError
        return value

    return parse


def _number(good: Callable[[float], bool]) -> Callable[[Any], float]:
    def parse(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ValueError
        if not math.isfinite(value) or not good(value):
            raise ValueError
        return float(value)

    return parse


def _one_of(*values: Any) -> Callable[[Any], Any]:
    def parse(value: Any) -> Any:
        if not any(type(value) is type(known) and value == known for known in values):
            raise ValueError
        return value

    return parse


def _or_none(parse: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else parse(value)


def _sides(value: Any) -> list[int]:
    sides = [value, value] if type(value) is int else value
    if not isinstance(sides, (list, tuple)) or len(sides) != 2 or sides[0] > sides[1]:
        raise ValueError
    return [_whole(16, 10_000)(side) for side in sides]


def _power_of_two(value: Any) -> int:
    if value not in (1, 2, 4, 8, 16, 32) or type(value) is not int:
        raise ValueError
    return value


_YES_NO = _one_of(True, False)
_COMMON: Mapping[str, RecipeField] = {
    "epochs": RecipeField(12, "a whole number from 1", _whole(1)),
    "batch_size": RecipeField(16, "a whole number from 1", _whole(1)),
    "optimizer": RecipeField("sgd", f"one of {', '.join(OPTIMIZERS)}", _one_of(*OPTIMIZERS)),
    "lr": RecipeField(0.02, "a number above 0", _number(lambda value: value > 0)),
    "momentum": RecipeField(0.9, "a number from 0 to below 1", _number(lambda value: 0 <= value < 1)),
    "weight_decay": RecipeField(1e-4, "a number from 0", _number(lambda value: value >= 0)),
    "schedule": RecipeField("step", f"one of {', '.join(SCHEDULES)}", _one_of(*SCHEDULES)),
    "warm_up_steps": RecipeField(500, "a whole number from 0", _whole(0)),
    "clip_norm": RecipeField(None, "a number above 0, or none", _or_none(_number(lambda value: value > 0))),
    "flip": RecipeField(True, "true or false", _YES_NO),
    "freeze_norms": RecipeField(False, "true or false", _YES_NO),
}
DETECTION: Mapping[str, RecipeField] = {
    **_COMMON,
    "image_size": RecipeField([800, 1333], "pixels from 16, or [shorter side, longer side at most]", _sides),
    "channels": RecipeField(256, "a whole number from 8", _whole(8)),
    "anchor_scale": RecipeField(
        None, "a number above 0, or none", _or_none(_number(lambda value: value > 0))
    ),
    "samples": RecipeField(512, "a whole number from 1", _whole(1)),
    "proposals": RecipeField(1000, "a whole number from 1", _whole(1)),
}
SEGMENTATION: Mapping[str, RecipeField] = {
    **_COMMON,
    "image_size": RecipeField(512, "pixels of the longer side, from 16", _whole(16, 10_000)),
    "output_stride": RecipeField(8, "a power of 2 from 1 to 32", _power_of_two),
}


def parse_field(name: str, value: Any, known: Mapping[str, RecipeField]) -> Any:
    """Return the canonical form of a field's value.

    Raises:
        ValueError: the field does not take it.
    """
    try:
        return known[name].parse(value)
    except (ValueError, TypeError):
        raise ValueError(f"must be {known[name].accepts}, got {value!r}") from None


def parse_recipe(given: Mapping[str, Any], known: Mapping[str, RecipeField]) -> dict[str, Any]:
    """Return the fields of a study's recipe that differ from the defaults, in canonical form.

    Raises:
        StudyError: a field is unknown, or does not take its value.
    """
    check_fields("experiment.recipe", given, known)
    found = {}
    for name, value in given.items():
        try:
            parsed = parse_field(name, value, known)
        except ValueError as error:
            raise StudyError(f"experiment.recipe.{name} {error}") from error
        if parsed != known[name].default:
            found[name] = parsed
    return found


def whole_recipe(
    own: Mapping[str, Any], factors: Mapping[str, Any], known: Mapping[str, RecipeField]
) -> dict[str, Any]:
    """Return every field: the row's own value, else the study's, else the default."""
    varied = {name.removeprefix(PREFIX): value for name, value in factors.items() if name.startswith(PREFIX)}
    return {**{name: field.default for name, field in known.items()}, **own, **varied}


def recipe_words(recipe: Mapping[str, Any]) -> str:
    """Return a whole recipe in one line."""
    return ", ".join(f"{name} {_words(value)}" for name, value in recipe.items() if value is not None)


def _words(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return (
        "-".join(map(str, value))
        if isinstance(value, list)
        else f"{value:g}"
        if isinstance(value, float)
        else str(value)
    )
