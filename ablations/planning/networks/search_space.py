"""What a search among networks chooses from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from math import ceil
from typing import Any

from pydantic import ValidationError

from ablations.errors import StudyError
from ablations.planning.choices.objective import Objective
from ablations.planning.choices.space import Choice, Dimension, Params, Space, impossible
from ablations.planning.networks.choosing import OBJECTIVES
from ablations.planning.networks.points import Point, move, row_at, start_of, text_of
from ablations.planning.networks.row import NetworkRow
from ablations.planning.networks.study import VARIANT_AXES, NetworkStudy
from senet_core.backbones import find_backbone
from senet_core.errors import UserError

_STAGE = "stage {}"
_REDUCTION = "reduction in stage {}"


@dataclass(frozen=True)
class SearchSpace(Space):
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
        return self.row(params).held_back(self.study.held_back)

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
    def extremes(self) -> Iterator[Params]:
        """Every two choices together, with the first of all others."""
        return self.pairs

    @cached_property
    def base(self) -> NetworkRow:
        """The baseline."""
        return row_at(self.study, start_of(self.study), axis=None)

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """What the search makes small."""
        search = self.study.search
        assert search is not None
        return tuple(OBJECTIVES[name] for name in search.objectives)

    @property
    def validation(self) -> int:
        """Images that are held back."""
        return self.study.held_back

    @property
    def steps(self) -> int:
        """Epochs of a whole training."""
        return ceil(self.study.recipe.epochs or 1)

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
            raise StudyError(impossible(study, params, error)) from error
    return space


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
