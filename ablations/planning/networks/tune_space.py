"""What a row's own recipe is chosen from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import ceil
from typing import Any

from pydantic import ValidationError

from ablations.errors import StudyError
from ablations.planning.choices.objective import Objective
from ablations.planning.choices.settings import Range
from ablations.planning.choices.space import Choice, Dimension, Params, Space, impossible, params_text
from ablations.planning.explain import explain
from ablations.planning.labels import number_text
from ablations.planning.networks.choosing import OBJECTIVES, WHOLE_NUMBERS
from ablations.planning.networks.recipe import Recipe
from ablations.planning.networks.row import NetworkRow
from ablations.planning.networks.study import NetworkStudy


@dataclass(frozen=True)
class TuneSpace(Space):
    """All recipes that a row may come to.

    Attributes:
        study: whose `tune` says what is chosen.
        base: the row with the study's own recipe.
        dimensions: one for each field that is chosen.
    """

    study: NetworkStudy
    base: NetworkRow
    dimensions: tuple[Dimension, ...]

    def proposed_row(self, params: Params) -> NetworkRow:
        """Return the row with a choice, judged on validation images, under a label that says the choice."""
        row = self.row(params).held_back(self.study.held_back)
        return replace(row, label=f"{self.base.label} with {params_text(params)}")

    def row(self, params: Params) -> NetworkRow:
        """Return the row with a choice, judged on the test images."""
        values = {
            **self.base.recipe.model_dump(),
            **{name: self._value(name, v) for name, v in params.items()},
        }
        return replace(self.base, recipe=Recipe.model_validate(values))

    @property
    def start(self) -> Params | None:
        """The study's own recipe as a choice; None where it is not in the space."""
        found: dict[str, Choice] = {}
        for dimension in self.dimensions:
            value = getattr(self.base.recipe, dimension.name)
            if dimension.choices:
                value = next(
                    (str(given) for given in self._choices(dimension.name) if _same(given, value)), None
                )
            elif value is not None and not dimension.low <= value <= dimension.high:
                value = None
            if value is None:
                return None
            found[dimension.name] = value
        return found

    @property
    def extremes(self) -> Iterator[Params]:
        """Every combination of ends and choices."""
        return self.corners

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """The error on validation images."""
        return (OBJECTIVES["validation_error"],)

    @property
    def validation(self) -> int:
        """Images that are held back."""
        return self.study.held_back

    @property
    def steps(self) -> int:
        """Epochs of a whole training."""
        return ceil(self.study.recipe.epochs or 1)

    def _value(self, name: str, value: Choice) -> Any:
        choices = self._choices(name)
        return next(c for c in choices if str(c) == value) if choices else value

    def _choices(self, name: str) -> tuple[Any, ...]:
        return self._range(name).choices

    def _range(self, name: str) -> Range:
        assert self.study.tune is not None
        return self.study.tune.ranges[name]


def tune_space(study: NetworkStudy, base: NetworkRow) -> TuneSpace:
    """Return what the tuning of a row may choose from.

    Raises:
        StudyError: an end or a choice of a range is no value of its field, or some of them do not go together.
    """
    assert study.tune is not None
    dimensions = []
    for name, given in study.tune.ranges.items():
        if name == "precision" and "auto" in given.choices:
            raise StudyError(
                f"study {study.name!r}: tune.ranges.precision has the choice 'auto', which is one of the others"
            )
        for value in given.choices or _ends(name, given):
            try:
                Recipe.model_validate({**base.recipe.model_dump(), name: value})
            except ValidationError as error:  # noqa: PERF203  (the message names the field)
                raise StudyError(f"study {study.name!r}: tune.ranges.{name}: {explain(error)}") from error
        if given.choices:
            dimensions.append(Dimension(name, tuple(str(choice) for choice in given.choices)))
            continue
        low, high = _ends(name, given)
        dimensions.append(
            Dimension(name, low=low, high=high, log=given.logarithmic, whole=name in WHOLE_NUMBERS)
        )
    space = TuneSpace(study, base, tuple(dimensions))
    for params in space.corners:
        try:
            space.row(params)
        except ValidationError as error:  # noqa: PERF203
            raise StudyError(impossible(study, params, error)) from error
    return space


def _ends(name: str, given: Range) -> tuple[float, float]:
    assert given.low is not None
    assert given.high is not None
    if name not in WHOLE_NUMBERS:
        return float(given.low), float(given.high)
    for end in (given.low, given.high):
        if end != int(end):
            raise StudyError(f"tune.ranges.{name} takes whole numbers, got {number_text(end)}")
    return int(given.low), int(given.high)


def _same(given: Any, value: Any) -> bool:
    """Return whether two values of a recipe's field are one: a list in a file is a tuple in the recipe."""
    if isinstance(given, (list, tuple)) and isinstance(value, (list, tuple)):
        return list(given) == list(value)
    return bool(given == value)
