"""FactorTrial: one run of any experiment with a value for each factor, as a value."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ablations.planning.trial import Trial

EXPERIMENT = "experiment"
"""The field by which the canonical form of such a trial is known."""


@dataclass(frozen=True)
class FactorTrial(Trial):
    """One run; equal values are the same trial, in whichever study.

    Attributes:
        experiment: what is common to all trials of the experiment, as canonical JSON, with its kind.
        factors: the value of each factor, as canonical JSON.
        seed: at least 0.
    """

    experiment: str
    factors: str
    seed: int

    @classmethod
    def of(cls, experiment: Mapping[str, Any], factors: Mapping[str, Any], seed: int) -> FactorTrial:
        """Return the trial with these values."""
        return cls(canonical_json(experiment), canonical_json(factors), seed)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> FactorTrial:
        """Return the trial of a canonical form.

        Raises:
            ValueError: a field is missing or of another form.
        """
        experiment, factors, seed = value.get(EXPERIMENT), value.get("factors"), value.get("seed")
        if not isinstance(experiment, dict) or not isinstance(factors, dict) or type(seed) is not int:
            raise ValueError("a trial has an experiment, factors and a seed")
        return cls.of(experiment, factors, seed)

    def to_json(self) -> dict[str, Any]:
        """Return the canonical form, ready for `json.dumps`."""
        return {EXPERIMENT: json.loads(self.experiment), "factors": self.values, "seed": self.seed}

    def choices(self) -> dict[str, Any]:
        """Return the value of each factor by name."""
        return self.values

    @property
    def values(self) -> dict[str, Any]:
        """The value of each factor by name."""
        values: dict[str, Any] = json.loads(self.factors)
        return values

    def __str__(self) -> str:
        return ", ".join(f"{name}={json.dumps(value)}" for name, value in self.values.items())


def canonical_json(value: Mapping[str, Any]) -> str:
    """Return the one text of a JSON value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
