"""The JSON schema of study files, and what their fields mean."""

from __future__ import annotations

from typing import Any

from ablations.planning.factors.study import FactorStudy
from ablations.planning.networks.datasets import ASKED, DATASETS
from ablations.planning.networks.recipe import Recipe
from ablations.planning.networks.recipes.named import RECIPES
from ablations.planning.networks.study import NetworkStudy
from ablations.planning.study import SET_BY_ITSELF

_DRAFT = "https://json-schema.org/draft/2020-12/schema"

VARIANT_WORDS = {
    "squeeze": "How a channel is summarised: a name of `ablate list squeeze`; none keeps every position.",
    "excitation": "What makes weights of the gate's output: a name of `ablate list excitation`.",
    "gate": "The network between them: a name of `ablate list gate`.",
    "reduction": "Channels per unit of the gate's bottleneck, the paper's r: a whole number, at least 1, or one "
    "for each stage, {2: 8, 3: 16, 4: 32}.",
    "stages": "The stages whose units get a block, in the paper's numbers: one, a list of them, or all.",
    "integration": "Where in the unit the block stands: a name of `ablate list integration`.",
    "bias": "Whether the layers of the gate have biases: true or false; the paper has none.",
    "fusion": "How the gates meet the map: a name of `ablate list fusion`.",
    "gate_init": "Which weights the gate starts from: a name of `ablate list gate_init`.",
    "opening": "Where a learned bias of the gate's logits starts, or none: with 2, a sigmoid starts at 0.88.",
    "block": "What stands in a unit: se, made of the fields above, or a whole block, which does without them: a "
    "name of `ablate list block`.",
    "units": "Whether all units of the stages have a block, or the last one of each.",
}
"""Fields of the SE block by name, with what a value means."""

AXIS_WORDS = {
    "variant": "Other blocks where the baseline's stands: names of `ablate list published`, or fields on top of the "
    "paper's, such as {squeeze: max, gate: identity}.",
    **VARIANT_WORDS,
    "backbone": "The network around the blocks: a name of `ablate list backbone`, also of a family, such as resnet56.",
    "data": "Other data sets, by name or by their fields: every row is trained on each of them and on the baseline's, "
    "and compared with the baseline on the same data.",
    "repeat": "The same network and recipe once more, with seeds of its own: whole numbers from 0.",
    **{f"recipe.{name}": str(field.description) for name, field in Recipe.model_fields.items()},
}
"""What a study may vary, with what a value means."""


def study_schema() -> dict[str, Any]:
    """Return the JSON schema of a study file of networks, with the short forms that the files may use."""
    schema = NetworkStudy.model_json_schema()
    properties = schema["properties"]
    for field in SET_BY_ITSELF:
        properties.pop(field)
    schema["required"] = [field for field in schema["required"] if field not in SET_BY_ITSELF]
    named = {
        "type": "string",
        "enum": sorted(RECIPES),
        "description": "The recipe that the other fields change.",
    }
    recipe = schema["$defs"]["Recipe"]
    on_top = {**recipe, "properties": {**recipe["properties"], "base": named}}
    properties["recipe"] = {"description": properties["recipe"]["description"], "anyOf": [named, on_top]}
    schema["$defs"].pop("Recipe")
    baseline = schema["$defs"]["Baseline"]["properties"]
    data = _data(schema["$defs"].pop("DataSpec"))
    baseline["data"] = {"description": baseline["data"]["description"], "anyOf": data}
    variants = next(form for form in baseline["variant"]["anyOf"] if form["type"] == "object")
    variants["properties"] = {name: {"description": text} for name, text in VARIANT_WORDS.items()}
    properties["axes"] = {
        "description": properties["axes"]["description"],
        "type": "object",
        "properties": {
            axis: {"type": "array", "minItems": 1, "description": text} for axis, text in AXIS_WORDS.items()
        },
        "additionalProperties": False,
    }
    properties["seeds"] = _seeds(properties["seeds"]["description"])
    return {"$schema": _DRAFT, **schema}


def any_study_schema() -> dict[str, Any]:
    """Return the JSON schema of every study file: of any experiment where it has that field, else of networks."""
    networks, other = study_schema(), experiment_schema()
    definitions = {**networks.pop("$defs", {}), **other.pop("$defs", {})}
    for schema in (networks, other):
        schema.pop("$schema")
    return {
        "$schema": _DRAFT,
        "$defs": definitions,
        "type": "object",
        "if": {"required": ["experiment"]},
        "then": other,
        "else": networks,
    }


def experiment_schema() -> dict[str, Any]:
    """Return the JSON schema of a study file of any experiment."""
    schema = FactorStudy.model_json_schema(by_alias=True)
    properties = schema["properties"]
    for field in SET_BY_ITSELF:
        properties.pop(field)
    schema["required"] = [field for field in schema["required"] if field not in SET_BY_ITSELF]
    properties["seeds"] = _seeds(properties["seeds"]["description"])
    return {"$schema": _DRAFT, **schema}


def _seeds(description: str) -> dict[str, Any]:
    counts = [{"type": "integer", "minimum": 1}, {"type": "array", "items": {"type": "integer"}}]
    return {"description": description, "anyOf": counts}


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
