"""The reference of the study file as a page in Markdown, made of the descriptions that the fields themselves have."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ablations.planning.choices.settings import Range
from ablations.planning.designs.race import RaceSettings
from ablations.planning.factors.choosing import FactorSearch, FactorTune
from ablations.planning.factors.experiment_fields import COMMAND, FUNCTION
from ablations.planning.factors.study import FactorStudy
from ablations.planning.networks.choosing import Search, Tune
from ablations.planning.networks.data_spec import DataSpec
from ablations.planning.networks.datasets import DATASETS, Dataset
from ablations.planning.networks.recipe import Recipe
from ablations.planning.networks.recipes.losses import LOSSES
from ablations.planning.networks.recipes.named import RECIPE_SOURCES, RECIPES
from ablations.planning.networks.recipes.optimizers import OPTIMIZERS
from ablations.planning.networks.recipes.sources import FIELD_SOURCES
from ablations.planning.networks.retests import Retest
from ablations.planning.networks.study import Baseline, NetworkStudy
from ablations.planning.schema import AXIS_WORDS, VARIANT_WORDS, study_schema
from ablations.planning.study import told_fields
from senet_core.variants.text import variant_fields
from senet_core.variants.variant import PAPER_SE

_Field = Mapping[str, Any]

HEAD = """# The study file

A study is one YAML file; its name without `.yaml` is the study's name. `ablate init my-study` writes one to begin with,
`ablate studies --show NAME` prints a shipped one, `ablate schema` gives this page's content to an editor as a JSON
schema, and `--set FIELD=VALUE` changes a field for one command (`--set recipe.epochs=30`). Unknown fields are refused.
`ablate plan STUDY --seal` writes down what the file asks, before there are results; see [statistics.md](statistics.md).
This page is written by `ablate schema --format markdown > docs/study-file.md`.
"""


def study_reference() -> str:
    """Return the page: every field with what it takes, its default and what it means; recipes and data sets, too."""
    study = study_schema()
    parts: list[str] = [HEAD]
    said = "Of networks; studies of programs and functions have [`experiment`](#experiment), and fewer of the others."
    parts += _section("Fields of a study", said, study, known={"baseline": "below", "recipe": "below"})
    parts += _section("baseline", "", Baseline.model_json_schema(), known={"data": "below"})
    axes = [(n, text) for n, text in AXIS_WORDS.items() if "." not in n and n not in VARIANT_WORDS]
    axes.append(
        ("recipe.FIELD", "A value of that field of the recipe, below, such as recipe.lr or recipe.epochs.")
    )
    said = "Each field of `variant`, above, is an axis. The others:\n"
    parts += ["### The fields of `variant`\n", _table(("field", "default", "meaning"), _variant_rows())]
    parts += ["### Axes\n", said, _table(("axis", "meaning of a value"), _code_first(axes))]
    said = "`data: NAME` is short for `data: {name: NAME}`."
    parts += _section("data", said, DataSpec.model_json_schema())
    heads = ("data set", "classes", "pixels", "channels", "training images", "test images", "source")
    parts += ["### Data sets\n", _table(heads, map(_data_row, DATASETS.values()))]
    said = "`recipe: NAME` is a named recipe; `recipe: {base: NAME, epochs: 2}` changes fields of one."
    parts += _section("recipe", said, Recipe.model_json_schema())
    parts += list(_recipe_parts())
    parts += ["### Named recipes\n", "Bold: not the default of the field.\n"]
    parts += [_table(("field", *(f"`{name}`" for name in RECIPES)), _recipe_rows())]
    parts += ["\n".join(f"- `{name}`: {source}" for name, source in RECIPE_SOURCES.items()) + "\n"]
    parts += list(_experiment_parts())
    for name, model, said in (
        ("race", RaceSettings, "For `design: race`."),
        ("tune", Tune, "For `design: tuned`; see [choosing.md](choosing.md)."),
        ("tune.ranges.FIELD", Range, "`lr: [0.02, 1.0]` is short for `lr: {low: 0.02, high: 1.0}`."),
        ("search", Search, "For `design: search`; see [choosing.md](choosing.md)."),
        ("tests", Retest, "A list of ways; see [tests-after-training.md](tests-after-training.md)."),
    ):
        parts += _section(name, said, model.model_json_schema())
    for name, own, of_networks in (("tune", FactorTune, Tune), ("search", FactorSearch, Search)):
        schema, known = own.model_json_schema(), of_networks.model_json_schema()["properties"]
        gone = ", ".join(f"`{field}`" for field in known if field not in schema["properties"])
        schema["properties"] = {f: v for f, v in schema["properties"].items() if v != known.get(f)}
        parts += _section(
            f"{name} of programs and functions", f"As `{name}`, without {gone}, and with:", schema
        )
    return "\n".join(parts)


def _section(
    title: str, said: str, schema: _Field, *, known: Mapping[str, str] | None = None
) -> Iterator[str]:
    yield f"## {title if ' ' in title else f'`{title}`'}\n"
    if said:
        yield said + "\n"
    required = schema.get("required", ())
    rows = (
        (
            f"`{name}`",
            (known or {}).get(name) or _accepted(field, schema),
            "required" if name in required else _default(field),
            field["description"],
        )
        for name, field in _in_order(schema["properties"]).items()
    )
    yield _table(("field", "takes", "default", "meaning"), rows)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, [":--"] * len(heads), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _code_first(pairs: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    return ((f"`{name}`", text) for name, text in pairs)


def _recipe_parts() -> Iterator[str]:
    """Return what the names in a recipe stand for, and where its fields come from."""
    heads = ("`optimizer`", "fields of its own", "source")
    optimizers = (
        (f"`{name}`", ", ".join(f"`{field}`" for field in facts.reads), facts.source)
        for name, facts in OPTIMIZERS.items()
    )
    yield "### Optimisers\n"
    yield _table(heads, optimizers)
    yield "### Losses\n"
    yield _table(("`loss`", "what it is"), _code_first(LOSSES.items()))
    yield "### Sources of fields of the recipe\n"
    yield "\n".join(f"- `{name}`: {source}" for name, source in FIELD_SOURCES.items()) + "\n"


def _experiment_parts() -> Iterator[str]:
    """Return the fields of studies of programs and functions, and what else differs in them."""
    own = told_fields(FactorStudy)
    without = ", ".join(f"`{name}`" for name in told_fields(NetworkStudy) if name not in own)
    yield "## `experiment`\n"
    yield (
        "For any program or function ([your-own-training.md](your-own-training.md)). `baseline` then gives each\n"
        "factor its value, `axes` vary factors, or `repeat`, `margin` is required, in the unit of the first metric,\n"
        f"and there is no {without}.\n"
    )
    for said, fields in (("A program:", COMMAND), ("A function:", FUNCTION)):
        yield f"{said}\n"
        yield _table(
            ("field", "default", "meaning"),
            ((f"`{name}`", default if default in ("required", "–") else f"`{default}`", words)
             for name, (default, words) in fields.items()),
        )  # fmt: skip


def _accepted(field: _Field, schema: _Field) -> str:
    """Return what a field takes, with its range, in words."""
    if "anyOf" in field:
        kinds = [kind for kind in field["anyOf"] if kind.get("type") != "null"]
        return " or ".join(dict.fromkeys(_accepted(kind, schema) for kind in kinds))
    if "$ref" in field:
        return "fields, below"
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    kind = field.get("type", "")
    if kind == "array":
        items = field.get("items", {})
        return f"a list of: {_accepted(items, schema)}" if "enum" in items else "a list"
    words = {
        "string": "text", "integer": "a whole number", "number": "a number", "boolean": "`true` or `false`",
        "object": "fields",
    }.get(kind, "")  # fmt: skip
    return words + _range(field)


def _range(field: _Field) -> str:
    ends = (
        ("minimum", "at least"), ("exclusiveMinimum", "above"), ("maximum", "at most"), ("exclusiveMaximum", "below"),
        ("multipleOf", "a multiple of"),
    )  # fmt: skip
    said = [f"{word} {field[name]:,}" for name, word in ends if name in field]
    return f", {', '.join(said)}" if said else ""


def _default(field: _Field) -> str:
    if "default" not in field or field["default"] in (None, "", [], {}):
        return "–"
    return f"`{_yaml(field['default'])}`"


def _yaml(value: Any) -> str:
    """Return a default as a study file writes it; a range as [low, high]."""
    if isinstance(value, Mapping):
        if {"low", "high"} <= value.keys():
            return _yaml([value["low"], value["high"]])
        return (
            "{"
            + ", ".join(f"{name}: {_yaml(inner)}" for name, inner in value.items() if inner is not None)
            + "}"
        )
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_yaml, value)) + "]"
    if isinstance(value, float):
        return f"{value:.4g}"
    return value if isinstance(value, str) else json.dumps(value)


def _variant_rows() -> Iterator[tuple[str, str, str]]:
    usual = variant_fields(PAPER_SE)
    return ((f"`{name}`", f"`{usual[name]}`", text) for name, text in VARIANT_WORDS.items())


def _recipe_rows() -> Iterator[tuple[str, ...]]:
    for name, field in Recipe.model_fields.items():
        values = [getattr(recipe, name) for recipe in RECIPES.values()]
        if any(value != field.default for value in values):
            shown = ("–" if value in (None, ()) else _yaml(value) for value in values)
            marked = (
                f"**{text}**" if v != field.default else text for text, v in zip(shown, values, strict=True)
            )
            yield (f"`{name}`", *marked)


def _data_row(known: Dataset) -> tuple[str, ...]:
    numbers = (known.classes, known.size, known.channels, known.train_images, known.test_images)
    shown = ["yours" if number is None else f"{number:,}" for number in numbers]
    return (f"`{known.name}`", *shown, known.source)


def _in_order(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields in the order in which they are told."""
    first = [name for name in told_fields(NetworkStudy) if name in properties]
    return {name: properties[name] for name in dict.fromkeys([*first, *properties])}
