"""The parts of a report: plots with their words, sections, and extras that only some studies have."""

from __future__ import annotations

from dataclasses import dataclass

from matplotlib.figure import Figure

from ablations.analysis.tables.cells import Table


@dataclass(frozen=True)
class Plot:
    """A figure and the words below it.

    Attributes:
        key: file name without suffix.
        caption: without markup.
        figure: as drawn.
        data: the numbers and words that it was drawn from, as nested tuples and dataclasses.
        wide: whether it takes both columns of a page.
    """

    key: str
    caption: str
    figure: Figure
    data: object
    wide: bool = False


@dataclass(frozen=True)
class Section:
    """One family: its table, how its comparisons were made, and its plot where there is something to draw."""

    title: str
    table: Table
    details: Table
    plot: Plot | None
    caveat: str | None


@dataclass(frozen=True)
class Extra:
    """A section that only some studies have: interactions, all pairs of an axis, all backbones together, a forecast."""

    title: str
    tables: tuple[Table, ...]
    plots: tuple[Plot, ...] = ()
