"""Settings of the choices: `tune`, the recipe of every row (design: tuned); `search`, the network (design: search).

Whatever is chosen is chosen on validation images, which are held back from the training images, never on the test
images; both have to be said in the study.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from ablations.planning.networks.recipe import Recipe
from senet_core.errors import unknown

Sampler = Literal["tpe", "nsga2", "random"]
Pruner = Literal["none", "median", "hyperband"]
Objective = Literal["validation_error", "parameters", "multiply_adds", "latency"]

NUMBERS = (
    "lr",
    "momentum",
    "eps",
    "weight_decay",
    "clip_norm",
    "gamma",
    "warmup",
    "warmup_lr",
    "focal_gamma",
    "label_smoothing",
    "erasing",
    "mixup",
    "cutmix",
    "dropout",
    "stochastic_depth",
    "ema",
    "full_size_from",
)
WHOLE_NUMBERS = ("batch_size", "restarts", "pad", "cutout", "randaugment", "magnitude")


def _range_from(value: object) -> object:
    if isinstance(value, (list, tuple)) and len(value) == 2 and not any(isinstance(v, str) for v in value):
        return {"low": value[0], "high": value[1]}
    return value


class Range(BaseModel):
    """The values that a field of the recipe may take: from low to high, or one of some choices.

    Raises:
        pydantic.ValidationError: neither or both are given, or they are out of order.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    low: float | None = Field(
        default=None, description="Smallest value, in the units of the field; with high, instead of choices."
    )
    high: float | None = Field(default=None, description="Largest value, above low.")
    log: bool | None = Field(
        default=None,
        description="Whether to draw on a logarithmic scale; where low is above 0, if not given.",
    )
    choices: tuple[Any, ...] = Field(
        default=(), description="The values themselves, instead of low and high."
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> Range:
        if bool(self.choices) == (self.low is not None or self.high is not None):
            raise ValueError("give low and high, or choices")
        if self.choices:
            if len(set(map(str, self.choices))) < len(self.choices):
                raise ValueError(f"a choice is given twice: {list(self.choices)}")
            return self
        if self.low is None or self.high is None or not self.low < self.high:
            raise ValueError(f"low must be below high, got {self.low} and {self.high}")
        if self.log and self.low <= 0:
            raise ValueError(f"a logarithmic range begins above 0, got {self.low}")
        return self

    @property
    def logarithmic(self) -> bool:
        """Whether values are drawn on a logarithmic scale."""
        return self.log if self.log is not None else self.low is not None and self.low > 0


RangeField = Annotated[Range, BeforeValidator(_range_from)]


class Tune(BaseModel):
    """How every row of `design: tuned` gets a recipe of its own.

    Raises:
        pydantic.ValidationError: a field is unknown or out of range.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    trials: int = Field(
        default=10, ge=2, le=10_000, description="Trials for the choice, the same for each row."
    )
    validation_images: int = Field(ge=2, description="Training images that are held back to choose on.")
    ranges: dict[str, RangeField] = Field(
        default={"lr": Range(low=0.02, high=1.0), "weight_decay": Range(low=1e-5, high=5e-3)},
        description="Fields of the recipe to choose, each with [low, high] or {choices: [...]}.",
    )
    sampler: Literal["tpe", "random"] = Field(
        default="tpe", description="Who proposes: Optuna's tree-structured Parzen estimator, or chance."
    )
    pruner: Pruner = Field(default="median", description="Who stops trials early that do worse than others.")
    compare_fixed: bool = Field(
        default=True,
        description="Whether the rows are trained with the study's own recipe, too: did tuning change a verdict?",
    )

    @model_validator(mode="after")
    def _known_fields(self) -> Tune:
        if not self.ranges:
            raise ValueError("tune.ranges is empty: name at least one field of the recipe")
        for name, values in self.ranges.items():
            if name not in Recipe.model_fields:
                raise unknown("field of the recipe", name, Recipe.model_fields)
            if name in ("epochs", "iterations"):
                raise ValueError(f"{name} is the length of the training, which is the same for all rows")
            if not values.choices and name not in (*NUMBERS, *WHOLE_NUMBERS):
                raise ValueError(f"{name} cannot be drawn from a range: give choices instead of low and high")
        return self


class Search(BaseModel):
    """How `design: search` looks for networks.

    Raises:
        pydantic.ValidationError: a field is unknown or out of range.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    objectives: tuple[Objective, ...] = Field(
        default=("validation_error",),
        description="What to make small; validation_error is always one of them.",
    )
    trials: int | None = Field(default=None, ge=2, le=100_000, description="How many trials to finish.")
    hours: float | None = Field(
        default=None, gt=0, description="Or how many hours to train, summed over the workers."
    )
    validation_images: int = Field(ge=2, description="Training images that are held back to choose on.")
    sampler: Sampler | None = Field(
        default=None, description="tpe for one objective, nsga2 for several, if not given."
    )
    pruner: Pruner = Field(
        default="none",
        description="Who stops trials early that do worse than others; for one objective only.",
    )
    any_stages: bool = Field(default=False, description="Let blocks stand in any set of stages.")
    reduction_per_stage: bool = Field(default=False, description="Choose a reduction for each stage.")
    repetition: int = Field(
        default=0, ge=0, le=1000, description="Another number is another search: other draws and other seeds."
    )
    winners: int = Field(
        default=3, ge=1, le=100, description="The most networks that are compared on fresh seeds in the end."
    )

    @model_validator(mode="after")
    def _consistent(self) -> Search:
        if (self.trials is None) == (self.hours is None):
            raise ValueError("give the budget by search.trials or by search.hours, one of the two")
        if "validation_error" not in self.objectives:
            raise ValueError("search.objectives must have validation_error among them")
        if len(set(self.objectives)) < len(self.objectives):
            raise ValueError(f"search.objectives names one twice: {', '.join(self.objectives)}")
        if self.pruner != "none" and len(self.objectives) > 1:
            raise ValueError("search.pruner works with one objective only")
        if self.sampler == "nsga2" and len(self.objectives) == 1:
            raise ValueError("search.sampler nsga2 is for several objectives; take tpe or random")
        return self

    @property
    def chosen_sampler(self) -> Sampler:
        """The sampler: as said, else TPE for one objective and NSGA-II for several."""
        return self.sampler or ("tpe" if len(self.objectives) == 1 else "nsga2")
