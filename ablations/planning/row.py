"""Row: one combination of what a study varies, before it has seeds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from ablations.planning.trial import Trial

REPEAT_STRIDE = 10_000
"""Repeat k of a row is run with the seeds s + k * REPEAT_STRIDE."""


RowKind = Literal["variant", "baseline", "plain"]
"""The role of a row in the comparisons of its study."""


@dataclass(frozen=True, kw_only=True)
class Row(ABC):
    """One row of a study, to be run with every seed. Each kind of experiment has a class of its own.

    Attributes:
        label: as it is shown, unique in its study; "plain", "SE", "SE r=8", "lr=0.1", or the name that the study gives.
        axis: the axis on which it differs from the baseline (one-factor); None for the baseline, the plain network
            and the rows of a grid.
        values: every axis of the study, with this row's value as text; "-" where the axis does not apply.
        repeat: 0, or which repeat of the same row with seeds of its own this is.
        unnamed: the label that its values make, where the study gives it another name; else "".
        task: what it is run on, where the study has several tasks, such as data sets; else "".
    """

    label: str
    axis: str | None
    values: tuple[tuple[str, str], ...]
    repeat: int = 0
    unnamed: str = ""
    task: str = ""

    @abstractmethod
    def trial(self, seed: int) -> Trial:
        """Return the trial of this row with a seed of the study."""

    @property
    @abstractmethod
    def identity(self) -> Hashable:
        """What makes two rows the same question."""

    @property
    @abstractmethod
    def told(self) -> Mapping[str, str]:
        """Everything that a row may differ in, by name, as text: what labels have where they would be alike."""

    def key(self, seed: int) -> str:
        """Return the key of the trial of this row with a seed of the study."""
        known = self._keys
        if seed not in known:
            known[seed] = self.trial(seed).key
        return known[seed]

    @cached_property
    def _keys(self) -> dict[int, str]:
        return {}  # a key takes a while to work out, and a report asks for each of thousands many times

    def own_seed(self, seed: int) -> int:
        """Return the seed of the trial that has a seed of the study."""
        return seed + self.repeat * REPEAT_STRIDE
