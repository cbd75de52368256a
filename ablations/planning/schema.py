"""The JSON schema of study files."""

from __future__ import annotations

from typing import Any

from ablations.planning.datasets import ASKED, DATASETS
from ablations.planning.recipe import RECIPES
from ablations.planning.study import AXES, SET_BY_ITSELF, Study


def study_schema() -> dict[str, Any]:
    """Return the JSON schema of a study file, with the short forms that the files may use."""
    schema = Study.model_json_schema()
    properties = schema["properties"]
    for field in SET_BY_ITSELF:
        properties.pop(field)
    schema["required"] = [field for field in schema["required"] if field not in SET_BY_ITSELF]
    named = {"type": "string", "enum": sorted(RECIPES)}
    recipe = schema["$defs"]["Recipe"]
    on_top = {**recipe, "properties": {**recipe["properties"], "base": named}}
    properties["recipe"] = {"anyOf": [named, on_top]}
    schema["$defs"].pop("Recipe")
    schema["$defs"]["Baseline"]["properties"]["data"] = {"anyOf": _data(schema["$defs"].pop("DataSpec"))}
    properties["axes"] = {
        "type": "object",
        "properties": {axis: {"type": "array", "minItems": 1} for axis in AXES},
        "additionalProperties": False,
    }
    properties["seeds"] = {
        "anyOf": [{"type": "integer", "minimum": 1}, {"type": "array", "items": {"type": "integer"}}]
    }
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _data(spec: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the forms of `data`: the name of a data set without fields, or the fields of each kind of data set."""
    kinds: dict[tuple[str, ...], list[str]] = {}
    for name, known in DATASETS.items():
        kinds.setdefault(known.asks, []).append(name)
    return [
        {"type": "string", "enum": kinds[()]},
        *(_fields(spec, asks, names) for asks, names in kinds.items()),
    ]


def _fields(spec: dict[str, Any], asks: tuple[str, ...], names: list[str]) -> dict[str, Any]:
    own = {name: dict(field) for name, field in spec["properties"].items()}
    own["name"]["enum"] = names
    for field in ASKED:
        wanted = [kind for kind in own[field]["anyOf"] if (kind != {"type": "null"}) == (field in asks)]
        own[field] = {"description": own[field]["description"], "anyOf": wanted}
    return {**spec, "properties": own, "required": ["name", *asks]}
