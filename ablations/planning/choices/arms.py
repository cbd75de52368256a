"""Arms: the choices that a study makes one beside the other. A search has one; a tuned study has one for each row."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

from ablations.planning.choices.objective import Objective
from ablations.planning.choices.settings import Pruner, Sampler
from ablations.planning.choices.space import Space
from ablations.planning.design import Design
from ablations.planning.row import Row
from ablations.planning.study_spaces import search_space_of, tune_space_of
from ablations.planning.trial import in_precision


@dataclass(frozen=True)
class Arm:
    """One choice, with a budget of its own.

    Attributes:
        name: as proposals say it: the row's label before the study names it; "search" for a search.
        label: as it is shown.
        space: what there is to choose from.
        trials: finished trials that it may take; None where hours are counted.
        hours: hours of training, summed over the workers; None where trials are counted.
        sampler, pruner: Optuna's.
        repetition: which of several searches of one kind this is.
    """

    name: str
    label: str
    space: Space
    trials: int | None
    hours: float | None
    sampler: Sampler
    pruner: Pruner
    repetition: int = 0

    @cached_property
    def asked(self) -> str:
        """Hash of space, baseline and objectives, 16 hex digits: another space or baseline is another choice."""
        return self._hash(self._base)

    @cached_property
    def asked_as_auto(self) -> str:
        """The same hash as proposals have it that were written when trials said "auto"."""
        return self._hash(in_precision(self._base, "auto"))

    @property
    def precision(self) -> str:
        """In which its trials are computed; "" where they know of none."""
        return str(self._base.get("recipe", {}).get("precision", ""))

    @cached_property
    def objectives(self) -> tuple[Objective, ...]:
        """What proposals are judged by, in the order of Optuna's values."""
        return self.space.objectives

    @cached_property
    def place(self) -> int:
        """Which of the objectives is measured on validation data: the one that decides."""
        return next(place for place, objective in enumerate(self.objectives) if objective.step)

    @property
    def judged_by(self) -> Objective:
        """The objective that is measured on validation data."""
        return self.objectives[self.place]

    @cached_property
    def _base(self) -> Mapping[str, Any]:
        return self.space.base.trial(0).to_json()

    def _hash(self, base: Mapping[str, Any]) -> str:
        space = self.space
        told = [
            base,
            [asdict(d) for d in space.dimensions],
            [objective.name for objective in self.objectives],
            space.validation,
            *([] if self.repetition == 0 else [self.repetition]),
            *space.plugins,
        ]
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]


def arms_of(design: Design) -> tuple[Arm, ...]:
    """Return a study's choices; none where it chooses nothing.

    Raises:
        StudyError: a range does not fit its field of the recipe.
    """
    study = design.study
    if study.search is not None:
        s = study.search
        space, sampler = search_space_of(study), s.chosen_sampler
        return (Arm("search", "search", space, s.trials, s.hours, sampler, s.pruner, s.repetition),)
    if study.tune is not None:
        t = study.tune
        return tuple(
            Arm(
                row.unnamed or row.label,
                row.label,
                tune_space_of(study, row),
                t.trials,
                None,
                t.sampler,
                t.pruner,
            )
            for row in design.rows
        )
    return ()


def extreme_rows(design: Design) -> Iterator[Row]:
    """Return rows that a study's choices may come to, to be checked before anything is proposed."""
    for arm in arms_of(design):
        yield from map(arm.space.row, arm.space.extremes)


def choice_trials(design: Design) -> tuple[int, int]:
    """Return how many trials a study's choices add: proposals, and trials of what is chosen, at most.

    A search with a budget of hours has none of the former that could be told.
    """
    study = design.study
    proposals = sum(arm.trials or 0 for arm in arms_of(design))
    if study.search is not None:
        return proposals, study.search.winners * study.confirm
    if study.tune is not None:
        return proposals, len(design.trials) if study.tune.compare_fixed else 0
    return 0, 0


def rows_to_forecast(design: Design) -> Design:
    """Return the rows of a study that are known before it has chosen, with the seeds that they will have."""
    if design.study.search is None:
        return design
    seeds = {"seeds": design.confirm_seeds, "confirm": 0}
    return replace(design, study=design.study.model_copy(update=seeds))
