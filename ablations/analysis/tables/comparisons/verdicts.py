"""The cells of a comparison: its difference, its p, its verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ablations.analysis.results.families import Sample, SampleFamily
from ablations.analysis.stats.comparison import Comparison
from ablations.analysis.tables.cells import Column, Difference, PValue, TableCell, Text, Value, about


@dataclass(frozen=True)
class VerdictCell:
    """The verdict of a comparison; for an open one, how many more seeds would probably settle it.

    Attributes:
        comparison: which.
        explores: whether the row is an exploratory one of a sealed plan.
    """

    comparison: Comparison
    explores: bool = False

    @property
    def words(self) -> str:
        """The verdict without a forecast: "better", "equivalent (worse by less than 0.2)"."""
        words = self.comparison.reading.words
        return f"exploratory: {words}" if self.explores else words

    def text(self) -> str:
        """Return "better", "equivalent (worse by less than 0.2)", "undetermined (about 14 more seeds)"."""
        words, more = self.words, self.comparison.more_seeds
        if self.comparison.beyond_test_set:
            return f"{words} (not on this test set)"
        return words if more is None else f"{words} (about {about(more)} more seed{'s' * (more != 1)})"

    def values(self) -> Mapping[str, Value]:
        """Return the verdict and the number of seeds, unrounded."""
        return {"": self.comparison.reading.verdict, "_more_seeds": self.comparison.more_seeds}


COMPARED = (
    Column("difference", "difference to baseline", gives_way=4),
    Column("p_corrected", "p, corrected", gives_way=2, in_paper=False),
    Column("p_tost_corrected", "p, equivalence", gives_way=1, in_paper=False),
    Column("verdict", "verdict", "left"),
)
"""The columns of `compared_cells`."""


def compared_cells(family: SampleFamily, outcome: Sample) -> tuple[TableCell, ...]:
    """Return how a sample compares with the baseline of its family, for the columns COMPARED."""
    c = family.comparisons.get(outcome.label)
    d = None if c is None else c.difference
    instead = (
        "baseline" if outcome.label == family.baseline else None if outcome.level.n else "not yet measured"
    )
    return (
        Text(None) if d is None else Difference(d.mean, d.lo, d.hi, decimals=family.metric.decimals, sd=d.sd),
        PValue(None if c is None else c.p_corrected),
        PValue(None if c is None else c.p_tost_corrected),
        verdict_cell(c, instead, explores=family.standing.get(outcome.label) == "exploratory"),
    )


def verdict_cell(comparison: Comparison | None, instead: str | None, *, explores: bool = False) -> TableCell:
    """Return the cell of a verdict, or of what stands in its place."""
    if comparison is None or instead is not None:
        return Text(instead)
    return VerdictCell(comparison, explores)
