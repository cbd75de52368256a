"""Pydantic's validation errors as one line of plain words."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from ablations.planning.designs.race import RaceSettings
from ablations.planning.factors.choosing import FactorSearch, FactorTune
from ablations.planning.factors.study import FactorStudy
from ablations.planning.networks.choosing import Search, Tune
from ablations.planning.networks.data_spec import DataSpec
from ablations.planning.networks.recipe import Recipe
from ablations.planning.networks.retests import Retest
from ablations.planning.networks.study import Baseline, NetworkStudy
from ablations.planning.study import SET_BY_ITSELF, told_fields
from senet_core.errors import unknown

_NESTED: dict[str, type[BaseModel]] = {
    "baseline": Baseline,
    "recipe": Recipe,
    "data": DataSpec,
    "race": RaceSettings,
    "tune": Tune,
    "search": Search,
    "tests": Retest,
}
_OF_FACTORS: dict[str, type[BaseModel]] = {"tune": FactorTune, "search": FactorSearch}
"""Fields that studies of other experiments than networks have otherwise."""

_NOT_IN_FILES: dict[type[BaseModel], tuple[str, ...]] = {
    NetworkStudy: SET_BY_ITSELF,
    FactorStudy: SET_BY_ITSELF,
}
_SHORT_FORMS: dict[type[BaseModel], tuple[str, ...]] = {Recipe: ("base",)}
"""What a file may have beside the fields: `base`, the recipe that the fields change."""

_FORMS = ("TrialResult", "MetricsResult", "EpochMetrics", "StepMetrics")
"""What a line of the record may hold in one place, which the place's name need not say."""

_WORDS = {
    "bool": "must be true or false",
    "dataclass": "must be a mapping of fields",
    "dict": "must be a mapping of fields",
    "finite_number": "must be a finite number",
    "float": "must be a number",
    "greater_than": "must be above {gt:g}",
    "greater_than_equal": "must be at least {ge:g}",
    "int": "must be a whole number",
    "invalid_key": "must have fields that are named by text",
    "less_than": "must be below {lt:g}",
    "less_than_equal": "must be at most {le:g}",
    "list": "must be a list",
    "literal_error": "must be {expected}",
    "mapping": "must be a mapping of fields",
    "model": "must be a mapping of fields",
    "string": "must be text",
    "string_pattern_mismatch": "must begin with a letter or digit, and go on with these, '.', '_' or '-'",
    "string_too_short": "must not be empty",
    "tuple": "must be a list",
}
"""Texts by pydantic's type of error, or the part of it before "_type", "_parsing" or "_from"."""


def explain(error: ValidationError) -> str:
    """Return the first error of a validation in one line: the field, what is accepted, what was given."""
    first = _most_telling(error.errors())
    parts = [
        str(part)
        for part in first["loc"]
        if not str(part).startswith(("function-", "[")) and part not in _FORMS
    ]
    where = ".".join(parts)
    if first["type"] == "extra_forbidden":
        return _of_unknown_field(where, parts, error.title)
    if first["type"] == "missing":
        return f"{where} is missing"
    if first["type"] == "value_error":  # of a check of ours, which says what was given
        return f"{where}: {first['ctx']['error']}" if where else str(first["ctx"]["error"])
    return f"{where or 'it'} {_wording(first)}, got {_shown(first['input'])}"


def _most_telling(errors: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return the first error; where a field is missing, an unknown one beside it, which is probably that one."""
    first = errors[0]
    if first["type"] != "missing":
        return first
    beside = (
        one for one in errors if one["type"] == "extra_forbidden" and one["loc"][:-1] == first["loc"][:-1]
    )
    return next(beside, first)


def _of_unknown_field(where: str, parts: Sequence[str], title: str) -> str:
    known = _fields_beside(parts, title)
    deeper = [f"{home}.{where}" for home, model in _nested_in(title).items() if where in told_fields(model)]
    if deeper and len(parts) == 1:
        return f"unknown field {where!r}; did you mean {deeper[0]!r}? known: {', '.join(known)}"
    return str(unknown("field", where, known))


def _wording(error: Mapping[str, Any]) -> str:
    kind = error["type"]
    for ending in ("_type", "_parsing", "_from_float", "_parsing_size", "_attributes_type"):
        kind = kind.removesuffix(ending)
    if kind in _WORDS:
        return _WORDS[kind].format(**error.get("ctx", {}))
    message = str(error["msg"])
    return "is wrong: " + message[0].lower() + message[1:]


def _shown(value: object) -> str:
    short = reprlib.Repr()
    short.maxstring = short.maxother = 80
    return short.repr(value)


def _fields_beside(parts: Sequence[str], title: str) -> list[str]:
    model: type[BaseModel] = FactorStudy if title == FactorStudy.__name__ else NetworkStudy
    nested = _nested_in(title)
    for part in parts[:-1]:
        model = nested.get(part, model)
    prefix = ".".join(parts[:-1])
    names = [
        *_SHORT_FORMS.get(model, ()),
        *told_fields(model),
    ]
    own = [name for name in names if name not in _NOT_IN_FILES.get(model, ())]
    return [f"{prefix}.{name}" if prefix else name for name in own]


def _nested_in(title: str) -> dict[str, type[BaseModel]]:
    return {**_NESTED, **(_OF_FACTORS if title == FactorStudy.__name__ else {})}
