"""Study: what is asked, as a study file says it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any, Literal
from unicodedata import normalize

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PrivateAttr,
    WithJsonSchema,
    field_validator,
)
from pydantic import model_validator as _model_validator
from pydantic_core import PydanticKnownError

from ablations.planning.choices.settings import Search, Tune
from ablations.planning.data_path import absolute_path, spelled
from ablations.planning.designs import DESIGNS, DesignKind
from ablations.planning.designs.race import RaceSettings
from ablations.planning.designs.tuned import REPEAT
from ablations.planning.recipe import PRECISIONS, Recipe
from ablations.planning.recipes.named import RECIPES
from ablations.planning.trial import DataSpec
from senet_core.backbones import find_backbone
from senet_core.errors import unknown
from senet_core.variant import SEVariant
from senet_core.variant_text import variant_from, variant_text

VARIANT_AXES = tuple(field.name for field in fields(SEVariant))
RECIPE_AXES = tuple(f"recipe.{name}" for name in Recipe.model_fields)
AXES = (*VARIANT_AXES, "backbone", REPEAT, *RECIPE_AXES)
"""Axes that a study may vary. `repeat` varies nothing but the seeds: the same network and recipe under another name."""

SET_BY_ITSELF = ("name", "overrides", "typed")
"""Fields that are not for study files: they come from the file's name and the command line."""

NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"
"""Names of studies, which name folders, too."""

LONGEST_LABEL = 80
"""Characters of a row's name."""

PAPER_TABLES = ("table_10", "table_11", "table_12", "table_13", "table_14", "table_15", "table_16")


def _recipe_from(value: object) -> object:
    """Read a recipe: a name, or fields on top of a named one (`base: cifar-quick`)."""
    if isinstance(value, str):
        value = {"base": value}
    if not isinstance(value, Mapping):
        return value
    given = dict(value)
    base = given.pop("base", None)
    if base is None:
        return given
    if not isinstance(base, str) or base not in RECIPES:
        raise unknown("recipe", base, RECIPES)
    merged = {**RECIPES[base].model_dump(), **given}
    if "iterations" in given and "epochs" not in given:
        merged["epochs"] = None
    if "epochs" in given and "iterations" not in given:
        merged["iterations"] = None
    return merged


def _data_from(value: object) -> object:
    return {"name": value} if isinstance(value, str) else value


_VARIANT_SCHEMA = {
    "description": "'plain', 'se', a text form such as 'se:reduction=8', or the fields that differ from the paper's.",
    "anyOf": [
        {"type": "string"},
        {"type": "object", "properties": {name: {} for name in VARIANT_AXES}, "additionalProperties": False},
    ],
}
VariantField = Annotated[
    SEVariant | None,
    BeforeValidator(variant_from),
    PlainSerializer(variant_text),
    WithJsonSchema(_VARIANT_SCHEMA),
]


class Baseline(BaseModel):
    """What every row is compared with."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    backbone: str = Field(description="A known backbone, see `ablate list backbone`.")
    variant: VariantField = Field(
        default=SEVariant(), description="The baseline's SE block; the paper's if not given."
    )
    data: Annotated[DataSpec, BeforeValidator(_data_from)] = Field(
        description="A data set's name, or its fields."
    )

    @field_validator("backbone")
    @classmethod
    def _known(cls, name: str) -> str:
        return find_backbone(name).name


def _known_design(name: str) -> str:
    if name not in DESIGNS:
        *most, last = map(repr, DESIGNS)
        raise PydanticKnownError("literal_error", {"expected": f"{', '.join(most)} or {last}"})
    return name


DesignName = Annotated[
    str, AfterValidator(_known_design), WithJsonSchema({"type": "string", "enum": list(DESIGNS)})
]


class Study(BaseModel):
    """One question, and how it is to be answered.

    Raises:
        pydantic.ValidationError: a field is unknown, missing, of the wrong type or out of range.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=NAME_PATTERN, description="The file's name; names folders.")
    title: str = Field(min_length=1, description="The headline of the report, in a few words.")
    question: str = Field(min_length=1, description="What the study asks, in a sentence.")
    baseline: Baseline = Field(description="The network and the data that every row is compared with.")
    recipe: Annotated[Recipe, BeforeValidator(_recipe_from)] = Field(
        description="A recipe's name, or fields on top of one: {base: cifar-quick, epochs: 2}."
    )
    axes: dict[str, tuple[Any, ...]] = Field(
        description="What is varied: an axis to the list of its values; an axis is a field of the block, backbone, "
        "repeat or recipe.FIELD."
    )
    design: DesignName = Field(
        default="one-factor",
        description="; ".join(f"{kind.name}: {kind.description}" for kind in DESIGNS.values()) + ".",
    )
    tune: Tune | None = Field(default=None, description="How `design: tuned` chooses recipes.")
    search: Search | None = Field(default=None, description="How `design: search` looks for networks.")
    race: RaceSettings = Field(default=RaceSettings(), description="How `design: race` adds seeds.")
    confirm: int = Field(
        default=0,
        ge=0,
        le=10_000,
        description="Fresh seeds for the row with the lowest error, and for the baseline, once the others are done.",
    )
    margin: float = Field(
        default=0.2,
        gt=0,
        allow_inf_nan=False,
        description="The smallest effect of interest, in points of top-1 error: smaller ones count as equivalent.",
    )
    rests_on: Literal["seeds", "images"] | None = Field(
        default=None,
        description="What verdicts hold for: seeds, for new seeds on these test images, or images, for new seeds and "
        "new test images; images if not given, where it is known which test images each trial got right.",
    )
    labels: dict[str, str] = Field(
        default={},
        description="Names to show for rows: a row's label, AXIS=VALUE or a value to its name, such as "
        "{excitation=tanh: Ours}.",
    )
    include_plain: bool = Field(default=True, description="Whether the network without SE takes part.")
    seeds: tuple[int, ...] = Field(
        default=(), description="How many seeds (0, 1, ...), or the seeds themselves; a search has none."
    )
    paper_tables: tuple[str, ...] | None = Field(
        default=None,
        description=f"Tables of the paper to show beside the study's own: {PAPER_TABLES[0]} to {PAPER_TABLES[-1]}, or "
        "[] for none; all that fit where it is not given. Beside an image-folder there is none.",
    )
    allow_identical: bool = Field(
        default=False,
        description="Whether two rows may be the same network, trained alike; otherwise the study is refused.",
    )
    folder: str = Field(
        default="",
        description="The folder that the paths of plug-ins and images are relative to, itself relative to the study's "
        "file; that file's own if not given.",
    )
    plugins: tuple[str, ...] = Field(default=(), description="Plug-in files, relative to the study's file.")
    overrides: tuple[str, ...] = Field(default=(), description="What the command line changed.")
    typed: tuple[str, ...] = Field(default=(), description="The study and its changes, as typed.")
    _precision: str = PrivateAttr(default="auto")

    @field_validator("seeds", mode="before")
    @classmethod
    def _count_or_list(cls, value: object) -> object:
        if isinstance(value, bool) or not isinstance(value, (int, list, tuple)):
            raise ValueError("give a number of seeds or a list of them")
        if isinstance(value, int):
            if not 1 <= value <= 10_000:
                raise ValueError(f"give between 1 and 10000 seeds, got {value}")
            return tuple(range(value))
        if not all(isinstance(seed, int) and not isinstance(seed, bool) and seed >= 0 for seed in value):
            raise ValueError("seeds are whole numbers from 0")
        if len(set(value)) < len(value):
            raise ValueError("seeds must be different from each other")
        return tuple(value)

    @field_validator("axes")
    @classmethod
    def _known_axes(cls, axes: dict[str, tuple[Any, ...]]) -> dict[str, tuple[Any, ...]]:
        for axis, values in axes.items():
            if axis not in AXES:
                shown = [*VARIANT_AXES, "backbone", REPEAT, "recipe.FIELD"]
                raise unknown("axis", axis, AXES if "." in axis else shown)
            if not values:
                raise ValueError(f"axis {axis!r} has no values")
            if axis == "recipe.precision" and "auto" in values:
                raise ValueError(
                    f"axis {axis!r} has the value 'auto', which is one of the others: give fp32, bf16 or both"
                )
        return axes

    @field_validator("labels", mode="before")
    @classmethod
    def _texts(cls, labels: object) -> object:
        """Take a value that is a whole number, such as a reduction, as a row's text."""
        if isinstance(labels, Mapping):
            return {str(row) if type(row) is int else row: shown for row, shown in labels.items()}
        return labels

    @field_validator("labels")
    @classmethod
    def _names_to_show(cls, labels: dict[str, str]) -> dict[str, str]:
        for row, shown in labels.items():
            if not shown.strip() or len(shown) > LONGEST_LABEL or not shown.isprintable():
                raise ValueError(
                    f"the name of {row!r} must be one line of 1 to {LONGEST_LABEL} printable characters, got {shown!r}"
                )
        # a command line writes é as one character, a file perhaps as two
        return {normalize("NFC", row): normalize("NFC", shown) for row, shown in labels.items()}

    @field_validator("paper_tables")
    @classmethod
    def _known_tables(cls, tables: tuple[str, ...] | None) -> tuple[str, ...] | None:
        for table in tables or ():
            if table not in PAPER_TABLES:
                raise unknown("table of the paper", table, PAPER_TABLES)
        return tables

    @_model_validator(mode="after")
    def _answerable(self) -> Study:
        if not self.axes and not self.include_plain:
            raise ValueError("nothing to compare: give axes, or include_plain: true")
        kind = self.kind
        if kind.field != "race" and self.race != RaceSettings():
            raise ValueError(f"the field race belongs to design 'race', and this is design {self.design!r}")
        kind.check_seeds(self)
        for name in ("tune", "search"):
            if (getattr(self, name) is not None) != (kind.field == name):
                verb = "needs" if kind.field == name else "does not go with"
                raise ValueError(f"design {self.design!r} {verb} the field {name}")
        kind.check(self)
        if self.baseline.variant is None and any(axis in VARIANT_AXES for axis in self.axes):
            raise ValueError(
                "the baseline is the plain network, so axes of the SE block cannot vary around it"
            )
        return self

    @_model_validator(mode="after")
    def _finds_its_images(self) -> Study:
        data = self.baseline.data
        if data.path is None:
            object.__setattr__(self, "folder", "")  # it is frozen, and this is still its making
        elif self.folder:
            placed = data.located(absolute_path(data.path, self.folder))
            object.__setattr__(self, "baseline", self.baseline.model_copy(update={"data": placed}))
        return self

    def beside(self, results_dir: str | Path) -> Study:
        """Return a study that is no file of the user's as if it were one beside the folder of results."""
        data = self.baseline.data
        if self.folder or data.path is None:
            return self
        home, images = os.path.dirname(os.path.abspath(results_dir)), absolute_path(data.path)
        placed = data.model_copy(update={"path": spelled(images, home)}).located(images)
        baseline = self.baseline.model_copy(update={"data": placed})
        return self.model_copy(update={"baseline": baseline, "folder": home})

    @property
    def trained_recipe(self) -> Recipe:
        """The recipe that trials have: with the precision of `in_precision` where it is "auto".

        Where precision is an axis, "auto" is the first value there.
        """
        return self.recipe.in_precision((*self._varied_precisions, self._precision)[0])

    @property
    def leaves_precision_open(self) -> bool:
        """Whether neither its recipe nor an axis says in which precision trials are computed."""
        return self.recipe.precision == "auto" and not self._varied_precisions

    @property
    def _varied_precisions(self) -> tuple[str, ...]:
        return tuple(value for value in self.axes.get("recipe.precision", ()) if value in PRECISIONS)

    def in_precision(self, precision: str) -> Study:
        """Return the study with its trials in "fp32" or "bf16" where it leaves that open; what it asks is the same."""
        placed = self.model_copy()
        placed._precision = precision
        return placed

    def fields(self) -> dict[str, Any]:
        """Return the fields that differ from the defaults, as a study file says them; with the name."""
        said: dict[str, Any] = self.model_dump(
            mode="json", exclude_defaults=True, exclude={"overrides", "typed", "plugins"}
        )
        plugins = [str(Path(file).absolute()) for file in self.plugins]
        return {**said, **({"plugins": plugins} if plugins else {})}

    @property
    def kind(self) -> DesignKind:
        """The kind of its design."""
        return DESIGNS[self.design]

    @property
    def chooses(self) -> Tune | Search | None:
        """How it chooses on validation images; None where it chooses nothing."""
        return self.tune or self.search
