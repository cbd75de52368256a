"""NetworkStudy: a study of networks with SE blocks that are trained to classify images."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import (
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
from typing_extensions import Self

from ablations.planning.designs.tuned import REPEAT
from ablations.planning.experiment import Experiment, find_experiment
from ablations.planning.metric import Metric
from ablations.planning.networks.choosing import VALIDATION_ERROR, Search, Tune
from ablations.planning.networks.data_sets import (
    DATA,
    data_from,
    has_paths,
    listed_data,
    located,
    named_data,
    respelled,
)
from ablations.planning.networks.data_spec import DataSpec
from ablations.planning.networks.recipe import PRECISIONS, Recipe
from ablations.planning.networks.recipes.named import RECIPES
from ablations.planning.networks.retests import Retest
from ablations.planning.study import Study
from senet_core.backbones import find_backbone
from senet_core.errors import unknown
from senet_core.variants.text import variant_from, variant_text
from senet_core.variants.variant import SEVariant

VARIANT_AXES = tuple(field.name for field in fields(SEVariant))
RECIPE_AXES = tuple(f"recipe.{name}" for name in Recipe.model_fields)
BLOCK = "variant"
"""The axis of whole blocks, by name or by fields; the other axes of the block vary one field of it."""
BLOCK_AXES = (BLOCK, *VARIANT_AXES)
AXES = (*BLOCK_AXES, "backbone", DATA, REPEAT, *RECIPE_AXES)
"""Axes that a study may vary. `repeat` varies nothing but the seeds: the same network and recipe under another name."""

PAPER_TABLES = (
    "table_4",
    "table_5",
    "table_10",
    "table_11",
    "table_12",
    "table_13",
    "table_14",
    "table_15",
    "table_16",
)


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
    data: Annotated[DataSpec, BeforeValidator(data_from)] = Field(
        description="A data set's name, or its fields."
    )

    @field_validator("backbone")
    @classmethod
    def _known(cls, name: str) -> str:
        return find_backbone(name).name


class NetworkStudy(Study):
    """One question about networks, and how it is to be answered.

    Raises:
        pydantic.ValidationError: a field is unknown, missing, of the wrong type or out of range.
    """

    chosen: ClassVar[tuple[str, str]] = ("recipe", "recipes")
    found: ClassVar[tuple[str, str]] = ("network", "networks")
    task_axis: ClassVar[str] = DATA
    task_words: ClassVar[str] = "data sets"

    axes: dict[str, tuple[Any, ...]] = Field(
        description="What is varied: an axis to the list of its values; an axis is a field of the block, backbone, "
        "data, repeat or recipe.FIELD."
    )
    tune: Tune | None = Field(default=None, description="How `design: tuned` chooses recipes.")
    search: Search | None = Field(default=None, description="How `design: search` looks for networks.")
    margin: float = Field(
        default=0.2,
        gt=0,
        allow_inf_nan=False,
        description="The smallest effect of interest, in points of top-1 error: smaller ones count as equivalent.",
    )
    baseline: Baseline = Field(description="The network and the data that every row is compared with.")
    recipe: Annotated[Recipe, BeforeValidator(_recipe_from)] = Field(
        description="A recipe's name, or fields on top of one: {base: cifar-quick, epochs: 2}."
    )
    include_plain: bool = Field(default=True, description="Whether the network without SE takes part.")
    paper_tables: tuple[str, ...] | None = Field(
        default=None,
        description="Tables of the paper to show beside the study's own: "
        f"{', '.join(PAPER_TABLES)}, or "
        "[] for none; all that fit where it is not given. Beside an image-folder there is none.",
    )
    keep_weights: bool = Field(
        default=False,
        description="Whether the weights of each trained network are kept, in results/STUDY/weights.",
    )
    tests: tuple[Retest, ...] = Field(
        default=(),
        description="How the trained networks are tested again when all are trained, such as [{crops: 10, ensembles: "
        "[seeds]}]; it needs `keep_weights: true`, and no verdict of the study's own rests on it.",
    )
    _precision: str = PrivateAttr(default="auto")

    @field_validator("axes")
    @classmethod
    def _known_axes(cls, axes: dict[str, tuple[Any, ...]]) -> dict[str, tuple[Any, ...]]:
        for axis, values in axes.items():
            if axis not in AXES:
                shown = [*BLOCK_AXES, "backbone", DATA, REPEAT, "recipe.FIELD"]
                raise unknown("axis", axis, AXES if "." in axis else shown)
            if not values:
                raise ValueError(f"axis {axis!r} has no values")
            if axis == "recipe.precision" and "auto" in values:
                raise ValueError(
                    f"axis {axis!r} has the value 'auto', which is one of the others: give some of"
                    f" {', '.join(PRECISIONS)}"
                )
        return axes

    @field_validator("paper_tables")
    @classmethod
    def _known_tables(cls, tables: tuple[str, ...] | None) -> tuple[str, ...] | None:
        for table in tables or ():
            if table not in PAPER_TABLES:
                raise unknown("table of the paper", table, PAPER_TABLES)
        return tables

    @_model_validator(mode="after")
    def _networks_to_test(self) -> NetworkStudy:
        if self.tests and not self.keep_weights:
            raise ValueError("tests of trained networks need their weights: give keep_weights: true")
        if self.tests and self.baseline.data.validation_images is not None:
            raise ValueError("tests need test images, and with validation_images these are out of reach")
        return self

    def _check_something_varies(self) -> None:
        if not self.axes and not self.include_plain:
            raise ValueError("nothing to compare: give axes, or include_plain: true")

    def check_choosing(self) -> None:
        """Refuse validation images of the data's own, and ranges of what is an axis."""
        if self.baseline.data.validation_images is not None:
            raise ValueError("validation_images belong to tune or search here, not to the data")
        if self.search is not None and DATA in self.axes:
            raise ValueError(
                "a search looks for networks on one data set, so that data cannot be an axis of it"
            )
        if self.search is not None and self.baseline.variant is None:
            raise ValueError("a search starts from an SE block as its baseline, not from the plain network")
        if self.search is not None and not self.axes:
            raise ValueError("a search needs axes, or there is nothing to choose from")
        for name in () if self.tune is None else self.tune.ranges:
            if f"recipe.{name}" in self.axes:
                raise ValueError(
                    f"recipe.{name} is an axis of the study, so tune.ranges cannot choose it, too"
                )

    @_model_validator(mode="after")
    def _block_to_vary(self) -> NetworkStudy:
        if self.baseline.variant is None and any(axis in BLOCK_AXES for axis in self.axes):
            raise ValueError(
                "the baseline is the plain network, so axes of the SE block cannot vary around it"
            )
        return self

    @_model_validator(mode="after")
    def _finds_its_images(self) -> NetworkStudy:
        if not has_paths(self):
            object.__setattr__(self, "folder", "")  # it is frozen, and this is still its making
        elif self.folder:
            placed = {"data": located(self.baseline.data, self.folder)}
            object.__setattr__(self, "baseline", self.baseline.model_copy(update=placed))
        return self

    def beside(self, results_dir: str | Path) -> Self:
        """Return a study that is no file of the user's as if it were one beside the folder of results."""
        if self.folder or not has_paths(self):
            return self
        home = os.path.dirname(os.path.abspath(results_dir))
        baseline = self.baseline.model_copy(update={"data": respelled(self.baseline.data, home)})
        listed = tuple(respelled(data, home).model_dump(exclude_none=True) for data in listed_data(self))
        axes = {**self.axes, **({DATA: listed} if listed else {})}
        return self.model_copy(update={"baseline": baseline, "axes": axes, "folder": home})

    @property
    def data_sets(self) -> Mapping[str, DataSpec]:
        """The data that its rows are trained on, by what they are called here; the baseline's first.

        Raises:
            pydantic.ValidationError: a value of the axis `data` is no data set.
        """
        return named_data(self)

    def of_task(self, task: str) -> Self:
        """Return the study as it is on one of its data sets."""
        if DATA not in self.axes:
            return self
        baseline = self.baseline.model_copy(update={"data": self.data_sets[task]})
        return self.model_copy(update={"baseline": baseline, "axes": self.varied})

    @property
    def keeps_weights(self) -> bool:
        """Whether the weights of trained networks are kept."""
        return self.keep_weights

    @property
    def retests(self) -> tuple[Retest, ...]:
        """How its trained networks are tested again."""
        return self.tests

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

    def in_precision(self, precision: str) -> Self:
        """Return the study with its trials in a precision where it leaves that open; what it asks is the same."""
        placed = self.model_copy()
        placed._precision = precision
        return placed

    @property
    def held_back(self) -> int:
        """The training images that a choice is made on; 0 where the study chooses nothing."""
        chooses = self.tune or self.search
        return 0 if chooses is None else chooses.validation_images

    @property
    def judged_by(self) -> Metric:
        """The error on validation images."""
        return VALIDATION_ERROR

    @property
    def experiment(self) -> Experiment:
        """The built-in experiment."""
        return find_experiment("classification")


def network_study(study: Study) -> NetworkStudy:
    """Return a study that is one of networks; what only such a study can come to asks this."""
    assert isinstance(study, NetworkStudy), f"{study.name} is no study of networks"
    return study
