"""Plot of a race: each row's mean difference to the baseline as seeds were added, and where it stopped."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import cycle

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ablations.analysis.plots.axis import MARGIN
from ablations.analysis.plots.style import BLACK, GREY, PALETTE, fix_layout, new_figure, style
from ablations.analysis.plots.ticks import thin_ticks
from ablations.analysis.plots.words import difference_head, legend_below, say_direction
from ablations.analysis.results.families import Family
from ablations.analysis.results.results import Results
from ablations.analysis.tables.glance.marks import MARKS
from ablations.planning.metric import Metric


@dataclass(frozen=True)
class Lane:
    """One row's way through a race.

    Attributes:
        label: its name.
        plain: whether it is the network without SE.
        seeds: numbers of paired seeds, from 2.
        means: mean paired difference to the baseline after each, in points.
        lo: lower end of the interval at the end; None where there is none.
        hi: upper end.
        verdict: at the end.
    """

    label: str
    plain: bool
    seeds: tuple[int, ...]
    means: tuple[float, ...]
    lo: float | None
    hi: float | None
    verdict: str


def lanes_of(results: Results, group: Family) -> tuple[Lane, ...]:
    """Return the lanes of a family's rows that have two paired seeds or more."""
    rows = [outcome.row for outcome in group.outcomes]
    wide = results.values(rows=rows).pivot(index="seed", columns="variant", values="value")
    lanes = []
    for label, comparison in group.comparisons.items():
        differences = [float(d) for d in wide[label] - wide[group.baseline] if math.isfinite(d)]
        counts = range(2, len(differences) + 1)
        if not counts:
            continue
        means = tuple(sum(differences[:n]) / n for n in counts)
        d = comparison.difference
        lanes.append(
            Lane(label, label == group.plain, tuple(counts), means, d.lo, d.hi, comparison.reading.verdict)
        )
    return tuple(lanes)


def draw_race(lanes: tuple[Lane, ...], metric: Metric, *, first: int, most: int, margin: float) -> Figure:
    """Draw the lanes of one family.

    Args:
        lanes: at least one.
        metric: what is compared.
        first: seeds at the first interim analysis, marked by a line.
        most: seeds at which the race ends.
        margin: smallest effect of interest.
    """
    with style():
        figure = new_figure(2.2)
        axes = figure.subplots()
        axes.axhspan(-margin, margin, color=MARGIN, linewidth=0, zorder=0)
        axes.axhline(0, color=BLACK, linewidth=0.8)
        axes.axvline(first, color=GREY, linewidth=0.6, linestyle=(0, (3, 2)))
        colours = cycle(PALETTE)
        for place, lane in enumerate(lanes):
            colour = GREY if lane.plain else next(colours)
            axes.plot(lane.seeds, lane.means, "-", color=colour, linewidth=1.0)
            end = lane.seeds[-1] + 0.08 * (place - (len(lanes) - 1) / 2)
            if lane.lo is not None and lane.hi is not None:
                axes.plot([end, end], [lane.lo, lane.hi], "-", color=colour, linewidth=0.9)
            mark = MARKS.get(lane.verdict, MARKS["undetermined"])
            axes.plot(
                [end], [lane.means[-1]], mark.marker, color=colour, markersize=3.6,
                markerfacecolor=colour if mark.filled else "white", markeredgewidth=1, label=lane.label,
            )  # fmt: skip
        axes.set_xlim(1.6, most + 0.6)
        axes.set_xlabel("seeds")
        axes.set_ylabel(difference_head(metric))
        say_direction(axes, metric.lower_is_better)
        axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
        axes.yaxis.set_major_locator(MaxNLocator(6))
        axes.grid(axis="y", color="#E4E4E4", linewidth=0.5)
        axes.set_axisbelow(True)
        legend_below(figure, *axes.get_legend_handles_labels())
        fix_layout(figure)
        thin_ticks((axes,))
        return figure
