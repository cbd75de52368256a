"""What studies of any experiment choose from: values of the axes, and ranges of factors."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from ablations.errors import StudyError
from ablations.planning.choices.objective import Objective
from ablations.planning.choices.settings import Range
from ablations.planning.choices.space import Choice, Dimension, Params, Space, impossible, params_text, shown
from ablations.planning.factors.choosing import FactorSearch, FactorTune, objectives_of
from ablations.planning.factors.points import BASELINE, FactorPoints
from ablations.planning.factors.row import FactorRow
from ablations.planning.factors.study import FactorStudy
from ablations.planning.factors.trial import canonical_json
from ablations.planning.row import Row
from senet_core.errors import UserError, unknown


@dataclass(frozen=True)
class FactorSpace(Space):
    """All values that a search, or a row of a tuned study, may come to.

    Attributes:
        study: whose choice it is.
        base: the row whose values a choice changes.
        dimensions: one for each factor that is chosen.
        values: of the dimensions with choices, by text, in canonical form.
        objectives: what proposals are judged by.
        tunes: whether a row keeps its label, whatever is chosen for it.
    """

    study: FactorStudy
    base: FactorRow
    dimensions: tuple[Dimension, ...]
    values: Mapping[str, Mapping[str, Any]]
    objectives: tuple[Objective, ...]
    tunes: bool

    def proposed_row(self, params: Params) -> FactorRow:
        """Return the row of a choice, of which only what it is judged by is recorded."""
        row = self.row(params)
        label = f"{row.label} with {params_text(params)}" if self.tunes else row.label
        return replace(row, label=label, judged_by=tuple(o.metric.column for o in self.objectives))

    def row(self, params: Params) -> FactorRow:
        """Return the row of a choice, of which the reported metric is recorded."""
        factors = {**self._own, **{name: self._value(name, value) for name, value in params.items()}}
        row = replace(self.base, factors=canonical_json(factors))
        if self.tunes:
            return row
        texts = tuple((axis, self._text(axis, factors[axis], params)) for axis in self.study.axes)
        return replace(row, label=self._label(factors, params), values=texts)

    @cached_property
    def start(self) -> Params | None:
        """The base's own values as a choice; None where one of them is not in the space."""
        found: dict[str, Choice] = {}
        for dimension in self.dimensions:
            own: Any = self._own[dimension.name]
            if dimension.choices:
                texts = self.values[dimension.name].items()
                own = next((text for text, value in texts if _same(value, own)), None)
            if not dimension.has(own):
                return None
            found[dimension.name] = own
        return found

    @property
    def validation(self) -> str:
        """The metric that is measured on validation data."""
        return next(objective.name for objective in self.objectives if objective.step)

    @property
    def extremes(self) -> Iterator[Params]:
        """Every two choices or ends together, with the first of all others."""
        return self.pairs

    @cached_property
    def _own(self) -> dict[str, Any]:
        own: dict[str, Any] = json.loads(self.base.factors)
        return own

    def _value(self, name: str, value: Choice) -> Any:
        if name in self.values:
            return self.values[name][str(value)]
        own = self._own[name]
        # 1 that Optuna has as 1.0 is what the study wrote, and no other trial
        return own if not isinstance(own, (bool, str)) and own == value else self.study.parsed(name, value)

    def _text(self, name: str, value: Any, params: Params) -> str:
        chosen = params.get(name)
        return shown(chosen) if isinstance(chosen, float) else self.study.text_of(name, value)

    def _label(self, factors: Mapping[str, Any], params: Params) -> str:
        changed = [name for name in factors if not _same(factors[name], self._own[name])]
        return " ".join(f"{name}={self._text(name, factors[name], params)}" for name in changed) or BASELINE


def factor_search_space(study: FactorStudy) -> FactorSpace:
    """Return what a study's search may choose from.

    Raises:
        StudyError: a range is for no factor or for one that is an axis, or its ends are no values of it.
    """
    search = study.search
    assert isinstance(search, FactorSearch)
    points = FactorPoints(study)
    base = points.row(points.start(), axis=None)
    objectives = objectives_of(
        "search", search.all_objectives, study.experiment.metrics, search.validation_metric
    )
    given = {**study.axes, **_ranges(study, "search", search.ranges)}
    return _space(study, base, given, objectives, tunes=False)


def factor_tune_space(study: FactorStudy, row: Row) -> FactorSpace:
    """Return what the tuning of a row may choose from.

    Raises:
        StudyError: a range is for no factor or for one that is an axis, or its ends are no values of it.
    """
    tune = study.tune
    assert isinstance(tune, FactorTune)
    assert isinstance(row, FactorRow)
    name = tune.validation_metric
    objectives = objectives_of("tune", (name,), study.experiment.metrics, name)
    return _space(study, row, _ranges(study, "tune", tune.ranges), objectives, tunes=True)


def _ranges(
    study: FactorStudy, field: str, ranges: Mapping[str, Range]
) -> dict[str, Range | tuple[Any, ...]]:
    """Return the ranges, and the choices where they have some."""
    for name in ranges:
        if name in study.axes:
            raise StudyError(
                f"study {study.name!r}: {name} is an axis of the study, so {field}.ranges cannot choose it, too"
            )
        if name not in study.baseline:
            raise unknown(f"factor of {field}.ranges", name, study.baseline, error=StudyError)
    return {name: given.choices or given for name, given in ranges.items()}


def _space(
    study: FactorStudy,
    base: FactorRow,
    given: Mapping[str, Range | tuple[Any, ...]],
    objectives: tuple[Objective, ...],
    *,
    tunes: bool,
) -> FactorSpace:
    dimensions, values = [], {}
    for name, one in given.items():
        if isinstance(one, Range):
            dimensions.append(_range(study, name, one))
        else:
            values[name] = _by_text(study, name, one)
            dimensions.append(Dimension(name, tuple(values[name])))
    space = FactorSpace(study, base, tuple(dimensions), values, objectives, tunes)
    for params in space.extremes:
        try:
            space.row(params)
        except UserError as error:  # noqa: PERF203  (the message names the choices)
            raise StudyError(impossible(study, params, error)) from error
    return space


def _by_text(study: FactorStudy, name: str, choices: tuple[Any, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for choice in choices:
        value = study.parsed(name, choice)
        text = study.text_of(name, value)
        if text in found:
            raise StudyError(
                f"study {study.name!r}: two values of {name} to choose from are both shown as {text!r}"
            )
        found[text] = value
    return found


def _range(study: FactorStudy, name: str, given: Range) -> Dimension:
    own = study.baseline[name]
    assert given.low is not None
    assert given.high is not None
    if isinstance(own, bool) or not isinstance(own, (int, float)):
        raise StudyError(
            f"study {study.name!r}: {name} is {study.text_of(name, own)!r} in the baseline, no number, and cannot be"
            " drawn from a range: give choices instead of low and high"
        )
    whole = isinstance(own, int) and given.low.is_integer() and given.high.is_integer()
    low, high = (int(given.low), int(given.high)) if whole else (given.low, given.high)
    return Dimension(name, low=low, high=high, log=given.logarithmic, whole=whole)


def _same(one: Any, other: Any) -> bool:
    """Return whether two canonical values are one: 1 and 1.0 are not, as programs read them."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
