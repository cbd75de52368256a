"""docs/study-file.md is the reference of the study file, and the code writes it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ablations.planning.factors.experiment_fields import COMMAND, FUNCTION
from ablations.planning.networks.datasets import DATASETS
from ablations.planning.networks.recipe import Recipe
from ablations.planning.networks.recipes.named import RECIPE_SOURCES, RECIPES
from ablations.planning.networks.reference import study_reference
from ablations.planning.networks.study import AXES
from ablations.planning.schema import AXIS_WORDS, study_schema

ROOT = Path(__file__).parents[4]
PAGE = study_reference()


def test_the_page_in_docs_is_what_the_code_says() -> None:
    assert (ROOT / "docs" / "study-file.md").read_text(encoding="utf-8") == PAGE, (
        "ablate schema --format markdown > docs/study-file.md"
    )


def fields_of(schema: Any, where: str = "") -> Iterator[tuple[str, Any]]:
    """Every field of a JSON schema with its place."""
    if isinstance(schema, dict):
        for name, field in schema.get("properties", {}).items():
            yield f"{where}.{name}", field
        for key, inner in schema.items():
            yield from fields_of(inner, f"{where}.{key}")
    elif isinstance(schema, list):
        for inner in schema:
            yield from fields_of(inner, where)


@pytest.mark.parametrize(("place", "field"), [*fields_of(study_schema())], ids=lambda value: str(value)[:60])
def test_every_field_of_the_schema_is_described(place: str, field: Any) -> None:
    assert len(field.get("description", "")) > 10, place


def test_every_field_and_every_axis_is_on_the_page() -> None:
    names = {place.rpartition(".")[2] for place, _ in fields_of(study_schema())} - set(AXES)
    assert {name for name in (*names, *Recipe.model_fields) if f"| `{name}` |" not in PAGE} == {"base"}
    assert set(AXIS_WORDS) == set(AXES)


@pytest.mark.parametrize("name", RECIPES)
def test_every_value_of_a_recipe_can_be_read_off(name: str) -> None:
    """What its column does not show is the default that the table of fields shows."""
    table = PAGE.partition("### Named recipes")[2].partition("- `")[0]
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in table.splitlines()
        if line.startswith("|")
    ]
    place = rows[0].index(f"`{name}`")
    shown = {row[0].strip("`"): row[place].strip("*") for row in rows[2:]}
    for field, value in RECIPES[name].model_dump().items():
        if field not in shown:
            assert value == Recipe.model_fields[field].default
        elif isinstance(value, (bool, str)):
            assert shown[field] == str(value).lower()
        elif isinstance(value, (int, float)):
            assert float(shown[field]) == pytest.approx(value, rel=1e-3)
        else:
            numbers = [float(text) for text in re.findall(r"[\d.]+", shown[field])]
            assert numbers == pytest.approx(list(value or ()), rel=1e-3)


def test_every_recipe_and_data_set_has_a_source() -> None:
    assert set(RECIPE_SOURCES) == set(RECIPES)
    assert all(known.source for known in DATASETS.values())


def test_every_field_of_an_experiment_is_on_the_page() -> None:
    section = PAGE.partition("## `experiment`")[2].partition("\n## ")[0]
    assert {name for name in (*COMMAND, *FUNCTION) if f"| `{name}` |" not in section} == set()
    assert "`recipe`" in section  # a study of a program has none
