"""FactorTrial: one run of any experiment with a value for each factor, as a value."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ablations.planning.trial import Trial

EXPERIMENT = "experiment"
"""The field by which the canonical form of such a trial is known."""

JUDGED_BY = "judged_by"
"""The field that only trials have which take part in a choice."""


@dataclass(frozen=True)
class FactorTrial(Trial):
    """One run; equal values are the same trial, in whichever study.

    Attributes:
        experiment: what is common to all trials of the experiment, as canonical JSON, with its kind.
        factors: the value of each factor, as canonical JSON.
        seed: at least 0.
        judged_by: the metrics that are recorded of a trial that takes part in a choice, the reported one not among
            them; empty for any other trial, of which all are.
    """

    experiment: str
    factors: str
    seed: int
    judged_by: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> FactorTrial:
        """Return the trial of a canonical form.

        Raises:
            ValueError: a field is missing or of another form.
        """
        experiment, factors, seed = value.get(EXPERIMENT), value.get("factors"), value.get("seed")
        judged_by = value.get(JUDGED_BY, [])
        if not isinstance(experiment, dict) or not isinstance(factors, dict) or type(seed) is not int:
            raise ValueError("a trial has an experiment, factors and a seed")
        if not isinstance(judged_by, list) or not all(isinstance(name, str) for name in judged_by):
            raise ValueError("what a trial is judged by is a list of metrics")
        return cls(canonical_json(experiment), canonical_json(factors), seed, tuple(judged_by))

    def to_json(self) -> dict[str, Any]:
        """Return the canonical form, ready for `json.dumps`."""
        told = {EXPERIMENT: json.loads(self.experiment), "factors": self.values, "seed": self.seed}
        return {**told, JUDGED_BY: list(self.judged_by)} if self.judged_by else told

    def choices(self) -> dict[str, Any]:
        """Return the value of each factor by name."""
        return self.values

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names of what its experiment measures."""
        return tuple(json.loads(self.experiment).get("metrics", ()))

    @property
    def proposed(self) -> bool:
        """Whether it takes part in a choice."""
        return bool(self.judged_by)

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
