"""Plot of what changes with depth: measures by unit, with intervals over seeds, a line for each row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ablations.analysis.plots.style import BLACK, GREY, PAGE_INCHES, PALETTE, fix_layout, new_figure, style
from ablations.analysis.plots.ticks import thin_ticks
from ablations.analysis.plots.words import SMALL, legend_below
from ablations.analysis.probe.gate_probe import ProbedRow
from ablations.analysis.probe.summary import MEASURES
from ablations.analysis.stats.interval import Interval

MOST_ROWS = 6
"""Of which lines can be told apart."""

_PANELS: tuple[tuple[str, ...], ...] = (
    ("class_share",),
    ("image_share",),
    ("constant_error",),
    ("high", "low"),
    ("correlation_before", "correlation_after"),
    ("dimensions_before", "dimensions_after"),
)
"""The measures of each panel: where there are two, the first is drawn filled and the second hollow."""

_HEADS = {
    "class_share": ("variance between classes", "share of that over images"),
    "image_share": ("variance over images", "share of that over images and channels"),
    "constant_error": ("distance from a constant", "relative to the gate"),
    "high": ("saturated gates", "filled: near the upper end; hollow: lower"),
    "correlation_before": ("|correlation| of channels", "filled: before the block; hollow: after"),
    "dimensions_before": ("dimensions / channels", "filled: before the block; hollow: after"),
}
_COLUMNS = 3
_PANEL_INCHES = 1.55
_HEAD = 7.0  # points
_APART = 0.11  # of a step: so far apart are the rows at one unit
_MOST_NAMES = 18  # of units at the axis
_DASHES: tuple[tuple[int, tuple[float, ...]], ...] = (
    (0, ()), (0, (4, 1.2)), (0, (1, 1)), (0, (5, 1, 1, 1)), (0, (2, 1)), (0, (8, 1.5)),
)  # fmt: skip
_LOOKS = tuple(zip((BLACK, *PALETTE[: MOST_ROWS - 1]), _DASHES, "osD^vP", strict=True))


class DepthLine(NamedTuple):
    """A measure of one row: the places of its units among all, and the intervals there."""

    row: int
    places: tuple[int, ...]
    values: tuple[Interval, ...]
    hollow: bool


class DepthPanel(NamedTuple):
    """One panel: its head and what stands below it, the possible values, and the lines."""

    head: str
    words: str
    bounds: tuple[float | None, float | None]
    lines: tuple[DepthLine, ...]


class DepthFigure(NamedTuple):
    """What is drawn: units from the first to the last, labels of rows, panels."""

    units: tuple[str, ...]
    rows: tuple[str, ...]
    panels: tuple[DepthPanel, ...]


def depth_figure(rows: Sequence[ProbedRow]) -> DepthFigure:
    """Return the measures of the first rows by depth; a measure that no unit has makes no panel."""
    rows = rows[:MOST_ROWS]
    known = {
        (unit.stage, unit.place): unit.name
        for row in rows
        for network in row.networks.values()
        for unit in network.units
    }
    names = tuple(known[key] for key in sorted(known))
    panels = []
    for measures in _PANELS:
        lines = [
            line
            for number, row in enumerate(rows)
            for hollow, measure in enumerate(measures)
            if (line := _line(number, row, measure, names, hollow=bool(hollow))).places
        ]
        if lines:
            panels.append(DepthPanel(*_HEADS[measures[0]], MEASURES[measures[0]].bounds, tuple(lines)))
    return DepthFigure(names, tuple(row.label for row in rows), tuple(panels))


def _line(number: int, row: ProbedRow, measure: str, names: Sequence[str], *, hollow: bool) -> DepthLine:
    found = {
        names.index(name): Interval(one.mean, one.lo, one.hi)
        for name, one in row.over_seeds(measure).items()
        if one.mean is not None
    }
    places = tuple(sorted(found))
    return DepthLine(number, places, tuple(found[place] for place in places), hollow)


def draw_depth(info: DepthFigure) -> Figure:
    """Draw measures by unit, with intervals over seeds as bars."""
    with style():
        across = min(_COLUMNS, len(info.panels))
        down = -(-len(info.panels) // across)
        figure = new_figure(0.35 + _PANEL_INCHES * down, width_inches=PAGE_INCHES)
        panels = [axes for row in figure.subplots(down, across, squeeze=False) for axes in row]
        for place, (axes, panel) in enumerate(zip(panels, info.panels, strict=False)):
            _draw_panel(axes, panel, info)
            axes.tick_params(axis="x", labelbottom=place + across >= len(info.panels))
        for axes in panels[len(info.panels) :]:
            axes.set_visible(False)
        if len(info.rows) > 1:
            handles, labels = panels[0].get_legend_handles_labels()
            legend_below(figure, handles, labels)
        fix_layout(figure)
        thin_ticks(panels[: len(info.panels)])
        return figure


def _draw_panel(axes: Axes, panel: DepthPanel, info: DepthFigure) -> None:
    for line in panel.lines:
        colour, dashes, marker = _LOOKS[line.row]
        shift = _APART * (line.row - (len(info.rows) - 1) / 2 + line.hollow / 2)
        at = [place + shift for place in line.places]
        for x, value in zip(at, line.values, strict=True):
            if value.lo is not None and value.hi is not None:
                axes.plot([x, x], [value.lo, value.hi], "-", color=colour, linewidth=0.7, alpha=0.7)
        axes.plot(
            at, [value.mean for value in line.values], color=colour, linestyle=dashes, linewidth=0.9,
            marker=marker, markersize=3.2, markeredgewidth=0.8, markerfacecolor="white" if line.hollow else colour,
            label=None if line.hollow else info.rows[line.row],
        )  # fmt: skip
    axes.set_title(panel.head, fontsize=_HEAD, loc="left", pad=10)
    axes.annotate(
        panel.words, (0, 1), (0, 3), xycoords="axes fraction", textcoords="offset points", fontsize=SMALL,
        color=GREY,
    )  # fmt: skip
    step = -(-len(info.units) // _MOST_NAMES)
    axes.set_xticks(range(0, len(info.units), step), info.units[::step], rotation=90, fontsize=SMALL)
    axes.set_xlim(-0.5, len(info.units) - 0.5)
    axes.set_ylim(*_limits(panel))
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.grid(axis="y", color="#E4E4E4", linewidth=0.5)
    axes.set_axisbelow(True)


def _limits(panel: DepthPanel) -> tuple[float, float]:
    """Return the ends of the axis: of what was found, cut where no value is possible, for intervals may reach there."""
    shown = [end for line in panel.lines for value in line.values for end in value if end is not None]
    low, high = min(shown), max(shown)
    reach = 0.06 * (high - low) or 0.05
    least, most = panel.bounds
    low, high = (low if least is None else max(low, least)), (high if most is None else min(high, most))
    return low - reach, high + reach
