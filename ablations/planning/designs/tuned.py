"""Tuned: as one factor, but every row is run with values of its own, chosen on validation data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ablations.planning.designs.one_factor import OneFactorDesign

if TYPE_CHECKING:
    from ablations.planning.study import Study

CHOOSE_FROM = 2_000_000
"""Trials that take part in a choice have this seed and those after it."""

REPEAT = "repeat"
"""The axis that varies nothing but the seeds: the same network and recipe under another name."""


class TunedDesign(OneFactorDesign):
    """One factor, with a recipe, or other values, of its own for each row."""

    name = "tuned"
    description = (
        "as one-factor, but every row is run with a recipe, or other values, of its own, that are chosen on validation"
        " data"
    )
    field = "tune"
    decides = True
    chooses = True
    section = "tuned"

    def check(self, study: Study) -> None:
        """Refuse seeds of the choice's own, and what a choice cannot have."""
        if max(study.seeds) >= CHOOSE_FROM:
            raise ValueError(f"in a tuned study seeds must be below {CHOOSE_FROM}")
        check_choosing(study)


def check_choosing(study: Study) -> None:
    """Refuse what a choice on validation data cannot have.

    Raises:
        ValueError: with the reason.
    """
    study.check_choosing()
    if REPEAT in study.axes:
        raise ValueError(f"the axis {REPEAT!r} is for comparisons of a row with itself, not for a choice")
