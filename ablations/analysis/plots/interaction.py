"""Interaction plots: parallel lines add up, lines that cross or spread do not."""

from __future__ import annotations

from itertools import cycle

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ablations.analysis.plots.style import MARKERS, PALETTE, new_figure, style
from ablations.analysis.results.interactions import InteractionInfo

_ASIDE = 0.06  # between lines at one level, so that their intervals do not cover each other


def draw_interaction(info: InteractionInfo) -> Figure:
    """Draw the mean error by the levels of one axis, a line for each level of the other."""
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
        axes.set_xticks(range(len(info.levels)), info.levels)
        axes.set_xlim(-0.4, len(info.levels) - 0.6)
        axes.set_xlabel(info.across)
        axes.set_ylabel("top-1 error (%)")
        axes.yaxis.set_major_locator(MaxNLocator(5))
        axes.grid(axis="y", color="#E4E4E4", linewidth=0.5)
        axes.set_axisbelow(True)
        figure.legend(loc="outside right upper", title=info.along, title_fontsize=6.5, handlelength=1.8)
        return figure
