"""Space: what a choice may choose from, as dimensions with names, and the way from a choice to a row."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations, islice, product
from typing import TYPE_CHECKING

from pydantic import ValidationError

from ablations.planning.choices.objective import Objective
from ablations.planning.explain import explain
from ablations.planning.row import Row

if TYPE_CHECKING:
    from ablations.planning.study import Study

Choice = str | float | int | bool
Params = Mapping[str, Choice]
"""One choice of every dimension, by name; JSON has a form for each."""

MOST_CORNERS = 4096
"""Combinations of ends that are checked; there are more with more than twelve ranges."""


@dataclass(frozen=True)
class Dimension:
    """One thing to choose.

    Attributes:
        name: unique in its space.
        choices: texts or truth values, to choose one; empty for a range of numbers.
        low, high: ends of a range, both included.
        log: whether a range is drawn on a logarithmic scale.
        whole: whether a range is of whole numbers.
    """

    name: str
    choices: tuple[Choice, ...] = ()
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    whole: bool = False

    def has(self, value: object) -> bool:
        """Return whether a value may be chosen."""
        if self.choices:
            return any(type(choice) is type(value) and choice == value for choice in self.choices)
        if isinstance(value, bool) or not isinstance(value, int if self.whole else (int, float)):
            return False
        return self.low <= value <= self.high

    @property
    def ends(self) -> tuple[Choice, ...]:
        """The choices, or the ends of the range."""
        return self.choices or (self.low, self.high)

    def __str__(self) -> str:
        if self.choices:
            return "one of " + ", ".join(map(str, self.choices))
        return f"{self.low:g} to {self.high:g}{', logarithmic' if self.log else ''}"


class Space(ABC):
    """All that a choice may come to. Each kind of study has classes of its own."""

    if TYPE_CHECKING:  # properties here would be the defaults of the fields that are called so

        @property
        def study(self) -> Study:
            """Whose choice it is."""

        @property
        def dimensions(self) -> tuple[Dimension, ...]:
            """What there is to choose."""

        @property
        def base(self) -> Row:
            """The row that a choice changes."""

        @property
        def objectives(self) -> tuple[Objective, ...]:
            """What proposals are judged by; one of them is measured on validation data."""

    @abstractmethod
    def proposed_row(self, params: Params) -> Row:
        """Return the row of a choice, judged on validation data."""

    @abstractmethod
    def row(self, params: Params) -> Row:
        """Return the row of a choice, judged on test data."""

    @property
    @abstractmethod
    def start(self) -> Params | None:
        """The choice that is the study's own; None where it is not in the space."""

    @property
    @abstractmethod
    def validation(self) -> int | str:
        """What makes validation data of it: another one is another choice."""

    @property
    def plugins(self) -> tuple[tuple[str, str], ...]:
        """The plug-ins that a choice may take and the base does not say, with the digests of their code."""
        return ()

    @property
    def steps(self) -> int | None:
        """The steps that a whole trial reports; None where that is not known."""
        return None

    @property
    @abstractmethod
    def extremes(self) -> Iterator[Params]:
        """Choices to be checked before anything is proposed."""

    @property
    def corners(self) -> Iterator[Params]:
        """Every combination of ends and choices, at most MOST_CORNERS of them."""
        for chosen in islice(product(*(d.ends for d in self.dimensions)), MOST_CORNERS):
            yield {d.name: value for d, value in zip(self.dimensions, chosen, strict=True)}

    @property
    def pairs(self) -> Iterator[Params]:
        """Every two choices or ends together, with the first of all others."""
        first = {dimension.name: dimension.ends[0] for dimension in self.dimensions}
        for one, other in combinations(self.dimensions, 2):
            for chosen in product(one.ends, other.ends):
                yield {**first, one.name: chosen[0], other.name: chosen[1]}
        for alone in self.dimensions if len(self.dimensions) == 1 else ():
            yield from ({alone.name: choice} for choice in alone.ends)


def impossible(study: Study, params: Params, error: Exception) -> str:
    """Return why a study is refused that could come to a choice that cannot be."""
    why = explain(error) if isinstance(error, ValidationError) else error
    return f"study {study.name!r} could choose {params_text(params)}, and {why}"


def params_text(params: Params) -> str:
    """Return a choice as readers see it: "lr 0.1, momentum 0.9"."""
    return ", ".join(f"{name} {shown(value)}" for name, value in params.items())


def shown(value: Choice) -> str:
    """Return a value in three digits."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)
