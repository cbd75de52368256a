"""The planned trials of a study by their settings: a recorded run is found among them, or what is nearest to it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ablations.analysis.external.importing.values import meant, same
from ablations.analysis.external.runs import listed
from ablations.analysis.external.variants import WHOLE
from ablations.planning.design import Design
from ablations.planning.factors.row import FactorRow
from ablations.planning.factors.study import FactorStudy
from ablations.planning.factors.trial import FactorTrial, canonical_json
from senet_core.errors import unknown

_SHOWN = 3
_LONGEST = 30  # characters of a recorded value that is shown


@dataclass(frozen=True)
class Match:
    """The trial that a run is.

    Attributes:
        row: of the study.
        trial: of it.
        assumed: factors of which the run says nothing, and which have one value in the whole study.
    """

    row: FactorRow
    trial: FactorTrial
    assumed: tuple[str, ...]


@dataclass(frozen=True)
class Mismatch:
    """Why a run is no trial of the study.

    Attributes:
        why: in words.
        seed: its seed, where its settings are those of a row and the seed alone is not planned.
    """

    why: str
    seed: int | None = None


class PlannedSettings:
    """What a study plans, by settings.

    Args:
        design: the study, unfolded; its rows are of factors.
        study: the same study.
        names: what a source calls a factor, by factor; a factor that is not in it is called by its own name.
        seed: what a source calls the seed.

    Raises:
        UserError: `names` has a factor that the study has not.
    """

    def __init__(self, design: Design, study: FactorStudy, names: Mapping[str, str], seed: str) -> None:
        self._study, self._seed = study, seed
        rows = [row for row in design.rows if isinstance(row, FactorRow)]
        self._rows = [(row, json.loads(row.factors)) for row in rows]
        self._planned: dict[str, list[Any]] = {}
        for _, factors in self._rows:
            for factor, value in factors.items():
                known = self._planned.setdefault(factor, [])
                if not any(same(value, other) for other in known):
                    known.append(value)
        for factor in names:
            if factor not in self._planned:
                raise unknown("factor of this study", factor, self._planned)
        self.names = {factor: names.get(factor, factor) for factor in self._planned}
        self._trials: dict[str, dict[int, tuple[FactorRow, FactorTrial]]] = {}
        for row, factors in self._rows:
            of_row = self._trials.setdefault(canonical_json(self._first(factors)), {})
            of_row |= {trial.seed: (row, trial) for trial in map(row.trial, design.seeds)}
        self._known: dict[tuple[str, str], int | None] = {}

    @property
    def varied(self) -> tuple[str, ...]:
        """The factors that have more than one value in the study."""
        return tuple(factor for factor, values in self._planned.items() if len(values) > 1)

    def match(self, settings: Mapping[str, str]) -> Match | Mismatch:
        """Return the trial that a run with these settings is, or why it is none."""
        values: dict[str, Any] = {}
        assumed = []
        for factor, planned in self._planned.items():
            text = settings.get(self.names[factor], "")
            place = self._meant(factor, text)
            if place is None and not text and len(planned) == 1:
                place = 0
                assumed.append(factor)
            if place is not None:
                values[factor] = planned[place]
        complete = len(values) == len(self._planned)
        of_row = self._trials.get(canonical_json(values)) if complete else None
        if of_row is None:
            return Mismatch(self._nearest(values, settings))
        text = settings.get(self._seed, "")
        if not WHOLE.fullmatch(text):
            return Mismatch(
                f"its {self._seed} {text!r} is no whole number" if text else f"it has no {self._seed!r}"
            )
        seed = int(text.partition(".")[0])
        if seed not in of_row:
            row, _ = next(iter(of_row.values()))
            return Mismatch(f"the row {row.label!r} has no seed {seed}, but {listed(of_row)}", seed)
        return Match(*of_row[seed], tuple(assumed))

    def _first(self, factors: Mapping[str, Any]) -> dict[str, Any]:
        """Return factors with the value that stands for those equal to it: 1 for 1.0."""
        return {
            factor: next(known for known in self._planned[factor] if same(known, value))
            for factor, value in factors.items()
        }

    def _meant(self, factor: str, text: str) -> int | None:
        if (factor, text) not in self._known:
            self._known[factor, text] = meant(
                text, self._planned[factor], lambda value: self._study.parsed(factor, value)
            )
        return self._known[factor, text]

    def _nearest(self, values: Mapping[str, Any], settings: Mapping[str, str]) -> str:
        def differing(factors: Mapping[str, Any]) -> list[str]:
            return [f for f, value in factors.items() if f not in values or not same(values[f], value)]

        row, factors = min(self._rows, key=lambda one: len(differing(one[1])))
        said = []
        for factor in differing(factors):
            text = settings.get(self.names[factor], "")
            has = f"{text[:_LONGEST]!r}" if text else "none"
            said.append(f"{factor} {self._study.text_of(factor, factors[factor])}, and the run has {has}")
        return f"the nearest row is {row.label!r}, with {listed(said, _SHOWN)}"
