"""Tuned: as one factor, but every row is trained with a recipe of its own, chosen on validation images."""

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
    """One factor, with a recipe of its own for each row."""

    name = "tuned"
    description = (
        "as one-factor, but every row is trained with a recipe of its own, chosen on validation images"
    )
    field = "tune"
    decides = True
    chooses = True
    section = "tuned"

    def check(self, study: Study) -> None:
        """Refuse seeds of the choice's own, and ranges of what is an axis."""
        if max(study.seeds) >= CHOOSE_FROM:
            raise ValueError(f"in a tuned study seeds must be below {CHOOSE_FROM}")
        check_choosing(study)
        for name in () if study.tune is None else study.tune.ranges:
            if f"recipe.{name}" in study.axes:
                raise ValueError(
                    f"recipe.{name} is an axis of the study, so tune.ranges cannot choose it, too"
                )


def check_choosing(study: Study) -> None:
    """Refuse what a choice on validation images cannot have.

    Raises:
        ValueError: with the reason.
    """
    study.check_choosing()
    if REPEAT in study.axes:
        raise ValueError(f"the axis {REPEAT!r} is for comparisons of a network with itself, not for a choice")
