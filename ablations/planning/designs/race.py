"""Race: as one factor, but seeds are added in rounds, and only to rows whose comparison is still open."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from ablations.planning.designs.kind import Known
from ablations.planning.designs.one_factor import OneFactorDesign

if TYPE_CHECKING:
    from ablations.planning.study import Study
    from ablations.planning.trial import Trial


class RaceSettings(BaseModel):
    """How seeds are added in `design: race`.

    Raises:
        pydantic.ValidationError: a field is unknown or out of range.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    first: int = Field(
        default=4, ge=3, le=1000, description="Seeds of every row before the first interim analysis."
    )
    budget: int | None = Field(
        default=None,
        ge=1,
        description="The most trials to train in all; without it, `seeds` is the only limit.",
    )
    futility: float = Field(
        default=0.1,
        ge=0,
        lt=1,
        description="A row whose chance of a verdict within its seeds falls below this gets no more of them.",
    )


class RaceDesign(OneFactorDesign):
    """One factor, with seeds added in rounds."""

    name = "race"
    description = "as one-factor, but seeds are added in rounds, and only to rows without a verdict"
    field = "race"
    decides = True
    races = True

    def check(self, study: Study) -> None:
        """Refuse a first interim analysis after the last seed, and verdicts over new images."""
        if study.rests_on == "images":
            raise ValueError(
                "rests_on: images is for one analysis of all seeds; the interim analyses of a race rest on seeds"
            )
        if len(study.seeds) < study.race.first:
            raise ValueError(
                f"a race looks first at {study.race.first} seeds (race.first), and has {len(study.seeds)} in all"
            )

    def first_analysis(self, study: Study) -> int:
        """Return the seeds of the first round; an interim analysis follows every seed from there."""
        return study.race.first

    def next_trials(self, known: Known, ended: Collection[str]) -> Sequence[Trial]:
        """Return what the present round lacks."""
        return known.race_trials(ended)
