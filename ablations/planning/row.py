"""Row: one network and recipe of a study, before it has seeds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from ablations.planning.recipe import Recipe
from ablations.planning.trial import DataSpec, Trial
from senet_core.variant import SEVariant

REPEAT_STRIDE = 10_000
"""Repeat k of a row is trained with the seeds s + k * REPEAT_STRIDE."""


RowKind = Literal["variant", "baseline", "plain"]
"""The role of a row in the comparisons of its study."""


@dataclass(frozen=True)
class Row:
    """One row of a study: a network and a recipe, to be trained with every seed.

    Attributes:
        label: as it is shown, unique in its study; "plain", "SE", "SE r=8", or the name that the study gives it.
        axis: the axis on which it differs from the baseline (one-factor); None for the baseline, the plain network
            and the rows of a grid.
        values: every axis of the study, with this row's value as text; "-" where the axis does not apply.
        repeat: 0, or which repeat of the same network and recipe with seeds of its own this is.
        unnamed: the label that its values make, where the study gives it another name; else "".
    """

    label: str
    axis: str | None
    values: tuple[tuple[str, str], ...]
    backbone: str
    variant: SEVariant | None
    data: DataSpec
    recipe: Recipe
    plugins: tuple[tuple[str, str], ...] = ()
    repeat: int = 0
    unnamed: str = ""

    def trial(self, seed: int) -> Trial:
        """Return the trial of this row with a seed of the study."""
        own = seed + self.repeat * REPEAT_STRIDE
        return Trial(self.backbone, self.variant, self.data, self.recipe, own, self.plugins)

    @property
    def network(self) -> tuple[Any, ...]:
        """What makes two rows the same question."""
        return (self.backbone, self.variant, self.recipe, self.repeat)
