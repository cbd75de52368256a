"""Settings of the choices that any study may make: `tune`, values for every row; `search`, the best of a space.

Whatever is chosen is chosen on validation data, never on the test data; how these are told apart is said in the study,
and each kind of study has fields of its own for it.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

Sampler = Literal["tpe", "nsga2", "random"]
Pruner = Literal["none", "median", "hyperband"]


def _range_from(value: object) -> object:
    if isinstance(value, (list, tuple)) and len(value) == 2 and not any(isinstance(v, str) for v in value):
        return {"low": value[0], "high": value[1]}
    return value


class Range(BaseModel):
    """The values that a field may take: from low to high, or one of some choices.

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


class TuneSettings(BaseModel):
    """How every row of `design: tuned` gets values of its own.

    Raises:
        pydantic.ValidationError: a field is unknown or out of range.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    trials: int = Field(
        default=10, ge=2, le=10_000, description="Trials for the choice, the same for each row."
    )
    ranges: dict[str, RangeField] = Field(
        description="What to choose, each with [low, high] or {choices: [...]}."
    )
    sampler: Literal["tpe", "random"] = Field(
        default="tpe", description="Who proposes: Optuna's tree-structured Parzen estimator, or chance."
    )
    pruner: Pruner = Field(default="median", description="Who stops trials early that do worse than others.")
    compare_fixed: bool = Field(
        default=True,
        description="Whether the rows are trained with the study's own values, too: did tuning change a verdict?",
    )


class SearchSettings(BaseModel):
    """How `design: search` looks for what is best.

    Raises:
        pydantic.ValidationError: a field is unknown or out of range.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    objectives: tuple[str, ...] = Field(default=(), description="What to make as good as can be.")
    trials: int | None = Field(default=None, ge=2, le=100_000, description="How many trials to finish.")
    hours: float | None = Field(
        default=None, gt=0, description="Or how many hours to train, summed over the workers."
    )
    sampler: Sampler | None = Field(
        default=None, description="tpe for one objective, nsga2 for several, if not given."
    )
    pruner: Pruner = Field(
        default="none",
        description="Who stops trials early that do worse than others; for one objective only.",
    )
    repetition: int = Field(
        default=0, ge=0, le=1000, description="Another number is another search: other draws and other seeds."
    )
    winners: int = Field(
        default=3, ge=1, le=100, description="The most winners that are compared on fresh seeds in the end."
    )

    @model_validator(mode="after")
    def _consistent(self) -> SearchSettings:
        if (self.trials is None) == (self.hours is None):
            raise ValueError("give the budget by search.trials or by search.hours, one of the two")
        if self.judged_by not in self.all_objectives:
            raise ValueError(f"search.objectives must have {self.judged_by} among them")
        if len(set(self.objectives)) < len(self.objectives):
            raise ValueError(f"search.objectives names one twice: {', '.join(self.objectives)}")
        if self.pruner != "none" and len(self.objectives) > 1:
            raise ValueError("search.pruner works with one objective only")
        if self.sampler == "nsga2" and len(self.all_objectives) == 1:
            raise ValueError("search.sampler nsga2 is for several objectives; take tpe or random")
        return self

    @property
    def judged_by(self) -> str:
        """The objective that is measured on validation data, which every search has."""
        raise NotImplementedError

    @property
    def all_objectives(self) -> tuple[str, ...]:
        """The names of its objectives: as said, else the one that is measured on validation data."""
        return self.objectives or (self.judged_by,)

    @property
    def timed(self) -> bool:
        """Whether proposals are asked how fast their result is."""
        return False

    @property
    def chosen_sampler(self) -> Sampler:
        """The sampler: as said, else TPE for one objective and NSGA-II for several."""
        return self.sampler or ("tpe" if len(self.all_objectives) == 1 else "nsga2")
