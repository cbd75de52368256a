"""How studies of networks choose: `tune`, the recipe of every row; `search`, the network.

Validation images are held back from the training images.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from ablations.planning.choices.objective import Objective
from ablations.planning.choices.settings import Range, RangeField, SearchSettings, TuneSettings
from ablations.planning.metric import Metric
from ablations.planning.networks.recipe import Recipe
from senet_core.errors import unknown

ObjectiveName = Literal["validation_error", "parameters", "multiply_adds", "latency"]
VALIDATION_ERROR = Metric("validation_error", "validation error", "%", "points", 2, True, "top1_error")

OBJECTIVES: dict[str, Objective] = {
    objective.name: objective
    for objective in (
        Objective("validation_error", VALIDATION_ERROR, step="validation_error", worst=100.0),
        Objective("parameters", Metric("parameters", "parameters")),
        Objective("multiply_adds", Metric("multiply_adds", "multiply-adds")),
        Objective("latency", Metric("latency", "latency", "ms", "ms", recorded="latency_ms")),
    )
}
"""What a search may make small."""

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
    "watched",
)
WHOLE_NUMBERS = ("batch_size", "restarts", "patience", "cuts", "pad", "cutout", "randaugment", "magnitude")


class Tune(TuneSettings):
    """How every row of `design: tuned` gets a recipe of its own.

    Raises:
        pydantic.ValidationError: a field is unknown or out of range.
    """

    validation_images: int = Field(ge=2, description="Training images that are held back to choose on.")
    ranges: dict[str, RangeField] = Field(
        default={"lr": Range(low=0.02, high=1.0), "weight_decay": Range(low=1e-5, high=5e-3)},
        description="Fields of the recipe to choose, each with [low, high] or {choices: [...]}.",
    )
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


class Search(SearchSettings):
    """How `design: search` looks for networks.

    Raises:
        pydantic.ValidationError: a field is unknown or out of range.
    """

    objectives: tuple[ObjectiveName, ...] = Field(
        default=("validation_error",),
        description="What to make small; validation_error is always one of them.",
    )
    validation_images: int = Field(ge=2, description="Training images that are held back to choose on.")
    any_stages: bool = Field(default=False, description="Let blocks stand in any set of stages.")
    reduction_per_stage: bool = Field(default=False, description="Choose a reduction for each stage.")
    winners: int = Field(
        default=3, ge=1, le=100, description="The most networks that are compared on fresh seeds in the end."
    )

    @property
    def judged_by(self) -> str:
        """The error on validation images."""
        return "validation_error"

    @property
    def all_objectives(self) -> tuple[str, ...]:
        """The names of its objectives, as said."""
        return self.objectives

    @property
    def timed(self) -> bool:
        """Whether the networks that are proposed are timed."""
        return "latency" in self.objectives
