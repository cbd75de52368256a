"""FactorPoints: the way from the baseline's factors along the axes of a study."""

from __future__ import annotations

import json
from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ablations.errors import StudyError
from ablations.planning.designs.tuned import REPEAT
from ablations.planning.factors.row import FactorRow
from ablations.planning.factors.trial import EXPERIMENT, canonical_json
from ablations.planning.factors.values import value_text
from ablations.planning.points import Points

if TYPE_CHECKING:
    from ablations.planning.factors.study import FactorStudy

BASELINE = "baseline"
"""The label of the baseline's row."""


@dataclass(frozen=True)
class FactorPoint:
    """A value for each factor, as canonical JSON, and a repeat."""

    factors: str
    repeat: int = 0

    @property
    def identity(self) -> Hashable:
        """What makes two points the same question."""
        return (self.factors, self.repeat)


class FactorPoints(Points):
    """The points of one study."""

    def __init__(self, study: FactorStudy) -> None:
        self._study = study
        self._experiment = canonical_json(study.identity)
        self._start = canonical_json(study.baseline)

    def start(self) -> FactorPoint:
        """Return the baseline."""
        return FactorPoint(self._start)

    def moved(self, start: Any, axis: str, value: object) -> tuple[str, FactorPoint]:
        """Return the value as text, and the point that it leads to along an axis."""
        if axis == REPEAT:
            if type(value) is not int or value < 0:
                raise StudyError(
                    f"study {self._study.name!r}: axis {axis!r}: a repeat is a whole number from 0, got {value!r}"
                )
            return str(value), FactorPoint(start.factors, value)
        parsed = self._study.parsed(axis, value)
        factors = {**json.loads(start.factors), axis: parsed}
        return self._study.text_of(axis, parsed), FactorPoint(canonical_json(factors), start.repeat)

    def row(self, point: Any, *, axis: str | None) -> FactorRow:
        """Return the row at a point."""
        factors = json.loads(point.factors)
        texts = {name: self._study.text_of(name, value) for name, value in factors.items()}
        texts[REPEAT] = str(point.repeat)
        return FactorRow(
            label=self._label(point, texts),
            axis=axis,
            values=tuple((name, texts[name]) for name in self._study.axes),
            repeat=point.repeat,
            experiment=self._experiment,
            factors=point.factors,
        )

    def _label(self, point: FactorPoint, texts: dict[str, str]) -> str:
        """Return what of a point differs from the baseline."""
        factors, start = json.loads(point.factors), json.loads(self._start)
        said = [f"{name}={texts[name]}" for name in factors if factors[name] != start[name]]
        said += [f"repeat {point.repeat}"] if point.repeat else []
        return " ".join(said) or BASELINE


__all__ = ["BASELINE", "EXPERIMENT", "FactorPoint", "FactorPoints", "value_text"]
