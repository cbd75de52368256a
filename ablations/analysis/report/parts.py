"""The parts of a report: plots with their words, sections, and extras that only some studies have."""

from __future__ import annotations

from dataclasses import dataclass

from matplotlib.figure import Figure

from ablations.analysis.tables.cells import Table
from ablations.analysis.tables.glance.few_columns import few_columns


@dataclass(frozen=True)
class Plot:
    """A figure and the words below it.

    Attributes:
        key: file name without suffix.
        caption: without markup.
        figure: as drawn.
        data: the numbers and words that it was drawn from, as nested tuples and dataclasses.
        wide: whether it takes both columns of a page.
        alt: what it shows, for those who cannot see it; its key if not given.
    """

    key: str
    caption: str
    figure: Figure
    data: object
    wide: bool = False
    alt: str = ""


@dataclass(frozen=True)
class Section:
    """One family: its table, how its comparisons were made, and its plot where there is something to draw.

    Attributes:
        title: one line.
        table: with every column; `few` is what is read first.
        details: how each comparison was made.
        plot: None where there is nothing to draw.
        caveat: what stands above or below the table; None for nothing.
        notes: of the table, without those that tell how every table of the report is read.
    """

    title: str
    table: Table
    details: Table
    plot: Plot | None
    caveat: str | None
    notes: tuple[str, ...] = ()

    @property
    def few(self) -> Table:
        """The table as it is read first."""
        return few_columns(self.table)


@dataclass(frozen=True)
class Extra:
    """A section that only some studies have: interactions, all pairs of an axis, all backbones together, a forecast.

    Attributes:
        title: one line.
        tables: in order.
        plots: below them.
        folded: whether it stands in the appendix: it does not answer the study's question.
    """

    title: str
    tables: tuple[Table, ...]
    plots: tuple[Plot, ...] = ()
    folded: bool = False
