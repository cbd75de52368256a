"""The JSON schema of study files."""

from __future__ import annotations

from typing import Any

from ablations.plan.recipe import RECIPES
from ablations.plan.study import AXES, SET_BY_ITSELF, Study


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
    data = schema["$defs"]["Baseline"]["properties"]
    data["data"] = {"anyOf": [{"type": "string"}, data["data"]]}
    properties["axes"] = {
        "type": "object",
        "properties": {axis: {"type": "array", "minItems": 1} for axis in AXES},
        "additionalProperties": False,
    }
    properties["seeds"] = {
        "anyOf": [{"type": "integer", "minimum": 1}, {"type": "array", "items": {"type": "integer"}}]
    }
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
