"""A run that is a trial of a study."""

from __future__ import annotations

from dataclasses import dataclass

from ablations.analysis.external.importing.planned import Match
from ablations.analysis.external.importing.reading import FoundRun


@dataclass(frozen=True)
class Taken:
    """A run, and the trial that it is.

    Attributes:
        found: the run.
        match: the trial.
        failed: in words, why it has no result; empty where it has one.
    """

    found: FoundRun
    match: Match
    failed: str

    @property
    def name(self) -> str:
        """By which a person finds the run."""
        return self.found.run.name
