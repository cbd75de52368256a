"""The JSON schema says of study files what reading them says."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest
import yaml

from ablations.planning.networks.recipes.named import RECIPES
from ablations.planning.networks.study import AXES, NetworkStudy
from ablations.planning.schema import experiment_schema, study_schema
from ablations.planning.study_file import SHIPPED, load_study, shipped_studies
from senet_core import UserError

SCHEMA = study_schema()
TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}
SAY_NOTHING = {"$schema", "$defs", "title", "description", "default"}


def valid(value: Any, schema: dict[str, Any]) -> bool:
    """Check a value against the part of JSON Schema that the study schema uses; anything else is an error."""
    rules: dict[str, Callable[[Any], bool]] = {
        "$ref": lambda rule: valid(value, SCHEMA["$defs"][rule.removeprefix("#/$defs/")]),
        "anyOf": lambda rule: any(valid(value, one) for one in rule),
        "type": lambda rule: (
            isinstance(value, TYPES[rule]) and (rule == "boolean" or not isinstance(value, bool))
        ),
        "enum": lambda rule: value in rule,
        "required": lambda rule: all(name in value for name in rule),
        "properties": lambda rule: all(valid(value[name], rule[name]) for name in rule if name in value),
        "additionalProperties": lambda rule: rule is not False or set(value) <= set(schema["properties"]),
        "items": lambda rule: all(valid(item, rule) for item in value),
        "minItems": lambda rule: len(value) >= rule,
        "minLength": lambda rule: len(value) >= rule,
        "pattern": lambda rule: re.search(rule, value) is not None,
        "minimum": lambda rule: value >= rule,
        "maximum": lambda rule: value <= rule,
        "exclusiveMinimum": lambda rule: value > rule,
        "exclusiveMaximum": lambda rule: value < rule,
    }
    asked = sorted(schema.keys() - SAY_NOTHING, key=lambda keyword: keyword != "type")  # types before sizes
    return all(rules[keyword](schema[keyword]) for keyword in asked)


def study(**changes: Any) -> dict[str, Any]:
    content = yaml.safe_load((SHIPPED / "smoke.yaml").read_text(encoding="utf-8"))
    return {**content, **changes}


@pytest.mark.parametrize("name", shipped_studies())
def test_shipped_studies_are_valid(name: str) -> None:
    content = yaml.safe_load((SHIPPED / f"{name}.yaml").read_text(encoding="utf-8"))
    assert valid(content, experiment_schema() if "experiment" in content else SCHEMA)


BASELINE = study()["baseline"]
FORMS: list[tuple[bool, dict[str, Any]]] = [
    (True, {"recipe": "cifar-paper"}),
    (True, {"recipe": {"base": "cifar-quick", "epochs": 2.5, "warmup": 0.25}}),
    (True, {"recipe": {"epochs": 3, "schedule": "step", "milestones": [0.25, 0.5]}}),
    (True, {"seeds": 5}),
    (True, {"seeds": [3, 1, 4]}),
    (True, {"baseline": {"backbone": "resnet20", "data": "digits"}}),
    (True, {"baseline": {**BASELINE, "variant": "plain"}, "axes": {"recipe.lr": [0.1, 0.2]}}),
    (True, {"baseline": {**BASELINE, "variant": "se:reduction=8"}}),
    (True, {"axes": {"reduction": [2, 4], "stages": [[2], "all"], "bias": [True]}}),
    (True, {"design": "grid", "include_plain": False, "paper_tables": ["table_11"]}),
    (False, {"tilte": "x"}),
    (False, {"name": "x"}),
    (False, {"overrides": []}),
    (False, {"typed": []}),
    (False, {"title": ""}),
    (False, {"title": 3}),
    (False, {"recipe": "cifar-quik"}),
    (False, {"recipe": {"base": "cifar-quik"}}),
    (False, {"recipe": {"epochs": 3, "epoch": 3}}),
    (False, {"recipe": {"epochs": 0}}),
    (False, {"recipe": {"epochs": 3, "crop": "random"}}),
    (False, {"seeds": 0}),
    (False, {"seeds": "two"}),
    (False, {"baseline": {**BASELINE, "backbones": "x"}}),
    (False, {"baseline": {"data": "digits"}}),
    (False, {"baseline": {**BASELINE, "variant": {"squeze": "max"}}}),
    (False, {"baseline": {**BASELINE, "data": {"name": "digits", "images": 3}}}),
    (False, {"baseline": {**BASELINE, "data": {"train_images": 3}}}),
    (True, {"baseline": {**BASELINE, "data": {"name": "image-folder", "path": "x", "size": 64}}}),
    (True, {"baseline": {**BASELINE, "data": {"name": "digits", "path": None, "size": None}}}),
    (False, {"baseline": {**BASELINE, "data": "cifra10"}}),
    (False, {"baseline": {**BASELINE, "data": {"name": "cifra10"}}}),
    (False, {"baseline": {**BASELINE, "data": "image-folder"}}),
    (False, {"baseline": {**BASELINE, "data": {"name": "image-folder", "path": "x"}}}),
    (False, {"baseline": {**BASELINE, "data": {"name": "image-folder", "path": None, "size": 64}}}),
    (False, {"baseline": {**BASELINE, "data": {"name": "digits", "size": 8}}}),
    (False, {"axes": {"reducton": [2]}}),
    (False, {"axes": {"reduction": []}}),
    (False, {"axes": {"reduction": 2}}),
    (False, {"design": "gird"}),
    (False, {"include_plain": "maybe"}),
    (True, {"keep_weights": True}),
    (False, {"keep_weights": "maybe"}),
    (False, {"keep_weight": True}),
]


@pytest.mark.parametrize(("good", "changes"), FORMS, ids=str)
def test_agrees_with_what_reading_accepts(
    good: bool, changes: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert valid(study(**changes), SCHEMA) is good
    file = tmp_path_factory.mktemp("study") / "small.yaml"
    file.write_text(yaml.safe_dump(study(**changes)), encoding="utf-8")
    if good:
        load_study(str(file))
    else:
        with pytest.raises(UserError):
            load_study(str(file))


def test_agrees_with_jsonschema() -> None:
    """The check of this file is our own; the library must say the same."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    for good, changes in FORMS:
        assert jsonschema.Draft202012Validator(SCHEMA).is_valid(study(**changes)) is good


@pytest.mark.parametrize("field", ["title", "question", "baseline", "recipe", "axes"])
def test_knows_what_is_required(field: str) -> None:
    content = study()
    del content[field]
    assert not valid(content, SCHEMA)


def test_has_every_field_that_a_file_may_have() -> None:
    assert set(SCHEMA["properties"]) == set(NetworkStudy.model_fields) - {"name", "overrides", "typed"}
    assert set(SCHEMA["properties"]["axes"]["properties"]) == set(AXES)
    assert SCHEMA["additionalProperties"] is False
    assert SCHEMA["properties"]["recipe"]["anyOf"][0]["enum"] == sorted(RECIPES)


def test_is_json_with_every_reference_resolved() -> None:
    text = json.dumps(SCHEMA)
    assert json.loads(text) == SCHEMA
    assert set(re.findall(r'"#/\$defs/(\w+)"', text)) <= set(SCHEMA["$defs"])
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
