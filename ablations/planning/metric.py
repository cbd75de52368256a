"""Metric: what a trial measures, as tables and plots call and show it."""

from __future__ import annotations

from typing import NamedTuple

RESAMPLED = "resampled."
"""What the names of figures begin with that are the first metric on resampled test data, for intervals alone."""


class Metric(NamedTuple):
    """What is compared.

    Attributes:
        key: for programs, in the names of columns.
        name: for readers.
        unit: of the values; "" where there is none, or it is not known.
        points: the unit of differences; "" likewise.
        decimals: of means and differences.
        lower_is_better: False for accuracies.
        recorded: its name in the results of trials; "" where that is the key.
    """

    key: str
    name: str
    unit: str = ""
    points: str = ""
    decimals: int = 2
    lower_is_better: bool = True
    recorded: str = ""

    @property
    def head(self) -> str:
        """The name with its unit."""
        return f"{self.name}, {self.unit}" if self.unit else self.name

    @property
    def column(self) -> str:
        """Its name in the results of trials."""
        return self.recorded or self.key

    @property
    def noun(self) -> str:
        """The name as sentences use it again and again: "error" for "top-1 error"."""
        return "error" if self.name.endswith(" error") else self.name

    def word(self, verdict: str) -> str:
        """Return "lower" or "higher" for a row that is "better" or "worse"."""
        return "lower" if (verdict == "better") == self.lower_is_better else "higher"

    def text(self, value: float) -> str:
        """Return a value with its unit: "7.31 %", "0.912"."""
        return f"{value:.{self.decimals}f} {self.unit}".rstrip()

    def with_points(self, text: str) -> str:
        """Return the text of a difference with its unit: "0.2 points"."""
        return f"{text} {self.points}".rstrip()
