"""Interaction plots: parallel lines add up, lines that cross or spread do not."""

from __future__ import annotations

from itertools import cycle

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ablations.analysis.plots.style import MARKERS, PALETTE, fix_layout, new_figure, style
from ablations.analysis.plots.ticks import thin_ticks
from ablations.analysis.plots.words import axis_head, folded, legend_below, points_across, say_direction
from ablations.analysis.results.interactions import InteractionInfo
from ablations.planning.metric import Metric

_ASIDE = 0.06  # between lines at one level, so that their intervals do not cover each other

_TICK = 6.5  # points of the ticks' labels


def draw_interaction(info: InteractionInfo, metric: Metric) -> Figure:
    """Draw the mean by the levels of one axis, a line for each level of the other."""
    with style():
        figure = new_figure(2.2)
        axes = figure.subplots()
        middle = (len(info.lines) - 1) / 2
        styles = zip(cycle(PALETTE), cycle(MARKERS), strict=False)
        for place, (line, (colour, marker)) in enumerate(zip(info.lines, styles, strict=False)):
            found = [(x, point) for x, point in enumerate(line.points) if point is not None]
            across = [x + _ASIDE * (place - middle) for x, _ in found]
            axes.plot(
                across, [point.mean for _, point in found], marker=marker, color=colour, markersize=3.6,
                label=line.level,
            )  # fmt: skip
            for x, (_, point) in zip(across, found, strict=True):
                if point.lo is not None and point.hi is not None:
                    axes.plot([x, x], [point.lo, point.hi], "-", color=colour, linewidth=0.8)
        places = range(len(info.levels))
        axes.set_xticks(places, info.levels)
        axes.set_xlim(-0.4, len(info.levels) - 0.6)
        axes.set_xlabel(info.across)
        axes.set_ylabel(axis_head(metric))
        say_direction(axes, metric.lower_is_better)
        axes.yaxis.set_major_locator(MaxNLocator(5))
        axes.grid(axis="y", color="#E4E4E4", linewidth=0.5)
        axes.set_axisbelow(True)
        legend_below(figure, *axes.get_legend_handles_labels(), title=info.along)
        figure.draw_without_rendering()  # from here on it is known how wide the plot is
        room = points_across(axes) / max(1, len(info.levels)) - 2
        axes.set_xticks(places, [folded(level, _TICK, room, 4) for level in info.levels])
        fix_layout(figure)
        thin_ticks((axes,))
        return figure
