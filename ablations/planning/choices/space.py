"""Spaces: what a choice may choose from, as dimensions with names, and the way from a choice to a row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations, islice, product
from typing import Any

from pydantic import ValidationError

from ablations.errors import StudyError
from ablations.planning.choices.settings import WHOLE_NUMBERS, Range
from ablations.planning.explain import explain
from ablations.planning.labels import number_text
from ablations.planning.networks.points import Point, move, row_at, start_of, text_of
from ablations.planning.networks.recipe import Recipe
from ablations.planning.networks.row import NetworkRow
from ablations.planning.networks.study import VARIANT_AXES, NetworkStudy
from senet_core.backbones import find_backbone
from senet_core.errors import UserError

Choice = str | float | int | bool
Params = Mapping[str, Choice]
"""One choice of every dimension, by name; JSON has a form for each."""

MOST_CORNERS = 4096
"""Combinations of ends that are checked; there are more with more than twelve ranges."""
_STAGE = "stage {}"
_REDUCTION = "reduction in stage {}"


@dataclass(frozen=True)
class Dimension:
    """One thing to choose.

    Attributes:
        name: unique in its space.
        choices: texts or truth values, to choose one; empty for a range of numbers.
        low, high: ends of a range, both included.
        log: whether a range is drawn on a logarithmic scale.
        whole: whether a range is of whole numbers.
    """

    name: str
    choices: tuple[Choice, ...] = ()
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    whole: bool = False

    def has(self, value: object) -> bool:
        """Return whether a value may be chosen."""
        if self.choices:
            return any(type(choice) is type(value) and choice == value for choice in self.choices)
        if isinstance(value, bool) or not isinstance(value, int if self.whole else (int, float)):
            return False
        return self.low <= value <= self.high


@dataclass(frozen=True)
class SearchSpace:
    """All networks and recipes that a search may come to.

    Attributes:
        study: whose axes.
        dimensions: one for each axis; for stages and reductions one for each stage, where the study says so.
        values: of each axis, by text.
    """

    study: NetworkStudy
    dimensions: tuple[Dimension, ...]
    values: Mapping[str, Mapping[str, Any]]

    def proposed_row(self, params: Params) -> NetworkRow:
        """Return the row of a choice, judged on validation images."""
        return _judged_on_validation(row_at(self.study, self._point(params), axis=None), self.study)

    def row(self, params: Params) -> NetworkRow:
        """Return the row of a choice, judged on the test images."""
        return row_at(self.study, self._point(params), axis=None)

    @property
    def start(self) -> Params | None:
        """The choice that is the baseline; None where it is not in the space."""
        start = start_of(self.study)
        variant, stages = start.variant, _stages(self.study)
        if variant is None:
            return None
        found: dict[str, Choice] = {}
        for dimension in self.dimensions:
            name = dimension.name
            if name in self.values:
                found[name] = text_of(start, name)
        chosen = stages if variant.stages is None else variant.stages
        for stage in stages:
            found[_STAGE.format(stage)] = stage in chosen
            if stage in chosen:
                found[_REDUCTION.format(stage)] = str(variant.reduction_in(stage))
        wanted = {dimension.name: found.get(dimension.name) for dimension in self.dimensions}
        # a stage without blocks has no reduction, whatever is said of it
        inside = all(wanted[d.name] is None or wanted[d.name] in d.choices for d in self.dimensions)
        return {name: value for name, value in wanted.items() if value is not None} if inside else None

    @property
    def plugins(self) -> tuple[tuple[str, str], ...]:
        """The plug-ins that a choice may take, with the digests of their code."""
        found = {pair for params in self.pairs for pair in self.row(params).plugins}
        return tuple(sorted(found))

    @property
    def pairs(self) -> Iterator[Params]:
        """Every two choices together, with the first of all others."""
        first = {dimension.name: dimension.choices[0] for dimension in self.dimensions}
        for one, other in combinations(self.dimensions, 2):
            for chosen in product(one.choices, other.choices):
                yield {**first, one.name: chosen[0], other.name: chosen[1]}
        for alone in self.dimensions if len(self.dimensions) == 1 else ():
            yield from ({alone.name: choice} for choice in alone.choices)

    def _point(self, params: Params) -> Point:
        point = start_of(self.study)
        variant: dict[str, Any] = {}
        for axis, values in self.values.items():
            if axis not in params:  # one for each stage, below
                continue
            value = values[str(params[axis])]
            if axis in VARIANT_AXES:
                variant[axis] = value
            else:
                point = move(point, axis, value)
        stages = _stages(self.study)
        search = self.study.search
        if search is not None and search.any_stages:
            stages = tuple(stage for stage in stages if params[_STAGE.format(stage)])
            if not stages:
                return replace(point, variant=None)  # no blocks at all: the plain network
            variant["stages"] = stages
        if search is not None and search.reduction_per_stage:
            if not search.any_stages:
                stages = _chosen_stages(variant.get("stages", getattr(point.variant, "stages", None)), stages)
            ratios = self.values["reduction"]
            variant["reduction"] = {s: ratios[str(params[_REDUCTION.format(s)])] for s in stages}
        return replace(point, variant=None if point.variant is None else replace(point.variant, **variant))


@dataclass(frozen=True)
class TuneSpace:
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
        said = ", ".join(f"{name} {_shown(value)}" for name, value in params.items())
        row = _judged_on_validation(self.row(params), self.study)
        return replace(row, label=f"{self.base.label} with {said}")

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
    def plugins(self) -> tuple[tuple[str, str], ...]:
        """None that the row itself does not say."""
        return ()

    @property
    def corners(self) -> Iterator[Params]:
        """Every combination of ends and choices, at most MOST_CORNERS of them."""
        ends = [d.choices or tuple(_ends(d.name, self._range(d.name))) for d in self.dimensions]
        for chosen in islice(product(*ends), MOST_CORNERS):
            yield {d.name: value for d, value in zip(self.dimensions, chosen, strict=True)}

    def _value(self, name: str, value: Choice) -> Any:
        choices = self._choices(name)
        return next(c for c in choices if str(c) == value) if choices else value

    def _choices(self, name: str) -> tuple[Any, ...]:
        return self._range(name).choices

    def _range(self, name: str) -> Range:
        assert self.study.tune is not None
        return self.study.tune.ranges[name]


Space = SearchSpace | TuneSpace


def search_space(study: NetworkStudy) -> SearchSpace:
    """Return what a study's search may choose from.

    Raises:
        StudyError: stages or reductions are to be chosen one by one, and the study's axes do not fit that; or two
            choices do not go together.
    """
    search = study.search
    assert search is not None
    stages = _stages(study)
    start = start_of(study)
    values: dict[str, dict[str, Any]] = {
        axis: {text_of(move(start, axis, value), axis): value for value in given}
        for axis, given in study.axes.items()
    }
    dimensions = [
        Dimension(axis, tuple(texts))
        for axis, texts in values.items()
        if not (axis == "reduction" and search.reduction_per_stage)
    ]
    if search.any_stages:
        if "stages" in study.axes:
            raise StudyError(
                f"study {study.name!r}: stages is an axis, and search.any_stages chooses it, too; one of the two"
            )
        dimensions += [Dimension(_STAGE.format(stage), (True, False)) for stage in stages]
    if search.reduction_per_stage:
        if "reduction" not in values:
            raise StudyError(f"study {study.name!r}: search.reduction_per_stage needs the axis 'reduction'")
        dimensions += [Dimension(_REDUCTION.format(stage), tuple(values["reduction"])) for stage in stages]
    space = SearchSpace(study, tuple(dimensions), values)
    for params in space.pairs:
        try:
            space.row(params)
        except (UserError, ValidationError) as error:  # noqa: PERF203  (the message names the choices)
            raise StudyError(_impossible(study, params, error)) from error
    return space


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
            raise StudyError(_impossible(study, params, error)) from error
    return space


def _impossible(study: NetworkStudy, params: Params, error: Exception) -> str:
    said = ", ".join(f"{name} {_shown(value)}" for name, value in params.items())
    why = explain(error) if isinstance(error, ValidationError) else error
    return f"study {study.name!r} could choose {said}, and {why}"


def _ends(name: str, given: Range) -> tuple[float, float]:
    assert given.low is not None
    assert given.high is not None
    if name not in WHOLE_NUMBERS:
        return float(given.low), float(given.high)
    for end in (given.low, given.high):
        if end != int(end):
            raise StudyError(f"tune.ranges.{name} takes whole numbers, got {number_text(end)}")
    return int(given.low), int(given.high)


def _stages(study: NetworkStudy) -> tuple[int, ...]:
    """Return the stages of the study's backbones, which must be the same where they are chosen one by one."""
    names = [study.baseline.backbone, *(str(name) for name in study.axes.get("backbone", ()))]
    search = study.search
    found = {tuple(sorted(find_backbone(name).stages)) for name in names}
    one_by_one = search is not None and (search.any_stages or search.reduction_per_stage)
    if one_by_one and len(found) > 1:
        raise StudyError(
            f"study {study.name!r}: stages cannot be chosen one by one, as its backbones have different ones"
        )
    return min(found)


def _chosen_stages(given: Any, stages: tuple[int, ...]) -> tuple[int, ...]:
    if given is None or given == "all":
        return stages
    return (given,) if isinstance(given, int) else tuple(given)


def _judged_on_validation(row: NetworkRow, study: NetworkStudy) -> NetworkRow:
    chooses = study.chooses
    assert chooses is not None
    return replace(row, data=row.data.for_choosing(chooses.validation_images))


def _same(given: Any, value: Any) -> bool:
    """Return whether two values of a recipe's field are one: a list in a file is a tuple in the recipe."""
    if isinstance(given, (list, tuple)) and isinstance(value, (list, tuple)):
        return list(given) == list(value)
    return bool(given == value)


def _shown(value: Choice) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
