"""Study: what is asked, as a study file says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
    field_validator,
)
from pydantic import model_validator as _model_validator

from ablations.planning.choices.settings import Search, Tune
from ablations.planning.recipe import RECIPES, Recipe
from ablations.planning.trial import DataSpec
from senet_core.backbones import find_backbone
from senet_core.errors import unknown
from senet_core.variant import SEVariant
from senet_core.variant_text import variant_from, variant_text

VARIANT_AXES = tuple(field.name for field in fields(SEVariant))
RECIPE_AXES = tuple(f"recipe.{name}" for name in Recipe.model_fields)
REPEAT = "repeat"
CONFIRM_FROM = 1_000_000
"""The fresh seeds of a confirmation are this one and those after it."""
CHOOSE_FROM = 2_000_000
"""Trials that take part in a choice have this seed and those after it."""
AXES = (*VARIANT_AXES, "backbone", REPEAT, *RECIPE_AXES)
"""What a study may vary. `repeat` varies nothing but the seeds: the same network and recipe under another name."""

SET_BY_ITSELF = ("name", "overrides", "typed")
"""Fields that are not for study files: they come from the file's name and the command line."""

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
    """What every cell is compared with."""

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


class Race(BaseModel):
    """How seeds are added in `design: race`.

    Raises:
        pydantic.ValidationError: a field is unknown or out of range.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    first: int = Field(default=4, ge=3, le=1000, description="Seeds of every row before the first look.")
    budget: int | None = Field(
        default=None,
        ge=1,
        description="The most trials to train in all; without it, `seeds` is the only limit.",
    )
    futility: float = Field(
        default=0.1,
        ge=0,
        lt=1,
        description="A row whose chance of a verdict within its seeds falls below this gets no more of them.",
    )


class Study(BaseModel):
    """One question, and how it is to be answered.

    Raises:
        pydantic.ValidationError: a field is unknown, missing, of the wrong type or out of range.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", description="The file's name; names folders.")
    title: str = Field(min_length=1)
    question: str = Field(min_length=1, description="What the study asks, in a sentence.")
    baseline: Baseline
    recipe: Annotated[Recipe, BeforeValidator(_recipe_from)] = Field(
        description="A recipe's name, or fields on top of one: {base: cifar-quick, epochs: 2}."
    )
    axes: dict[str, tuple[Any, ...]] = Field(description="What is varied: axis to values.")
    design: Literal["one-factor", "grid", "pairwise", "race", "tuned", "search"] = Field(
        default="one-factor",
        description="one-factor: each axis alone around the baseline; grid: all combinations; pairwise: fewer "
        "combinations, in which any two values of two axes meet at least once; race: as one-factor, but seeds are "
        "added in rounds, and only to rows without a verdict; tuned: as one-factor, but every row is trained with a "
        "recipe of its own, chosen on validation images; search: looks for good networks among all combinations.",
    )
    tune: Tune | None = Field(default=None, description="How `design: tuned` chooses recipes.")
    search: Search | None = Field(default=None, description="How `design: search` looks for networks.")
    race: Race = Field(default=Race(), description="How `design: race` adds seeds.")
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
    include_plain: bool = Field(default=True, description="Whether the network without SE takes part.")
    seeds: tuple[int, ...] = Field(
        default=(), description="How many seeds (0, 1, ...), or the seeds themselves; a search has none."
    )
    paper_tables: tuple[str, ...] = Field(default=(), description="The paper's tables to show beside.")
    allow_identical: bool = Field(
        default=False,
        description="Whether two rows may be the same network, trained alike; otherwise the study is refused.",
    )
    plugins: tuple[str, ...] = Field(default=(), description="Plug-in files, relative to the study's file.")
    overrides: tuple[str, ...] = Field(default=(), description="What the command line changed.")
    typed: tuple[str, ...] = Field(default=(), description="The study and its changes, as typed.")

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
        return axes

    @field_validator("paper_tables")
    @classmethod
    def _known_tables(cls, tables: tuple[str, ...]) -> tuple[str, ...]:
        for table in tables:
            if table not in PAPER_TABLES:
                raise unknown("table of the paper", table, PAPER_TABLES)
        return tables

    @_model_validator(mode="after")
    def _answerable(self) -> Study:
        if not self.axes and not self.include_plain:
            raise ValueError("nothing to compare: give axes, or include_plain: true")
        if self.design == "race" and 0 < len(self.seeds) < self.race.first:
            raise ValueError(
                f"a race looks first at {self.race.first} seeds (race.first), and has {len(self.seeds)} in all"
            )
        if self.design != "race" and self.race != Race():
            raise ValueError(f"the field race belongs to design 'race', and this is design {self.design!r}")
        if self.design == "search":
            self._check_search()
        elif not self.seeds:
            raise ValueError("give at least one seed")
        elif self.confirm and max(self.seeds) >= CONFIRM_FROM:
            raise ValueError(f"with confirm, seeds must be below {CONFIRM_FROM}")
        for name in ("tune", "search"):
            design = {"tune": "tuned"}.get(name, name)
            if (getattr(self, name) is not None) != (self.design == design):
                verb = "needs" if self.design == design else "does not go with"
                raise ValueError(f"design {self.design!r} {verb} the field {name}")
        if self.design == "tuned" and (self.tune and max(self.seeds) >= CHOOSE_FROM):
            raise ValueError(f"in a tuned study seeds must be below {CHOOSE_FROM}")
        if self.design in ("tuned", "search"):
            self._check_choosing()
        if self.baseline.variant is None and any(axis in VARIANT_AXES for axis in self.axes):
            raise ValueError(
                "the baseline is the plain network, so axes of the SE block cannot vary around it"
            )
        return self

    def _check_search(self) -> None:
        if self.seeds:
            raise ValueError("a search has no seeds: `confirm: N` gives its winners N fresh ones")
        if self.confirm < 2:
            raise ValueError(
                "a search needs `confirm: N`, at least 2: fresh seeds on which its winners meet the baseline"
            )
        if not self.axes:
            raise ValueError("a search needs axes, or there is nothing to choose from")
        if self.baseline.variant is None:
            raise ValueError("a search starts from an SE block as its baseline, not from the plain network")

    def _check_choosing(self) -> None:
        """Refuse what a choice on validation images cannot have."""
        if self.baseline.data.validation_images is not None:
            raise ValueError("validation_images belong to tune or search here, not to the data")
        if REPEAT in self.axes:
            raise ValueError(
                f"the axis {REPEAT!r} is for comparisons of a network with itself, not for a choice"
            )
        if self.tune is not None:
            for name in self.tune.ranges:
                if f"recipe.{name}" in self.axes:
                    raise ValueError(
                        f"recipe.{name} is an axis of the study, so tune.ranges cannot choose it, too"
                    )
