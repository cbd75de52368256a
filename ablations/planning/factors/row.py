"""FactorRow: one combination of factors, before it has seeds."""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping
from dataclasses import dataclass

from ablations.planning.factors.trial import FactorTrial
from ablations.planning.factors.values import value_text
from ablations.planning.row import Row


@dataclass(frozen=True, kw_only=True)
class FactorRow(Row):
    """One combination, to be run with every seed.

    Attributes:
        experiment: see `FactorTrial`.
        factors: likewise.
        judged_by: likewise.
    """

    experiment: str
    factors: str
    judged_by: tuple[str, ...] = ()

    def trial(self, seed: int) -> FactorTrial:
        """Return the trial of this row with a seed of the study."""
        return FactorTrial(self.experiment, self.factors, self.own_seed(seed), self.judged_by)

    @property
    def identity(self) -> Hashable:
        """What makes two rows the same question."""
        return (self.factors, self.repeat)

    @property
    def told(self) -> Mapping[str, str]:
        """The value of each factor, as text."""
        return {name: value_text(value) for name, value in json.loads(self.factors).items()}
