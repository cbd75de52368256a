"""Plots in the manner of the paper's Fig. 6 and 7: gates by channel and class, a panel for each unit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ablations.analysis.plots.style import BLACK, PAGE_INCHES, PALETTE, fix_layout, new_figure, style
from ablations.analysis.plots.ticks import thin_ticks
from ablations.analysis.plots.words import legend_below
from ablations.analysis.probe.gate_statistics import Floats
from ablations.analysis.probe.summary import NetworkSummary, UnitSummary

MOST_PANELS = 12
MOST_CHANNELS = 50
"""As many as the paper draws of each unit."""

_COLUMNS = 3
_PANEL_INCHES = 1.28
_TITLE = 7.0  # points
_MARK_EVERY = 0.12  # of a line's length: markers that can be told apart
# Told apart without colour, too: by dashes, and by markers that stand at different channels
_Look = tuple[str, tuple[int, tuple[float, ...]], str]
_LINES: tuple[_Look, ...] = (
    (PALETTE[0], (0, ()), "o"),
    (PALETTE[1], (0, (4, 1.2)), "s"),
    (PALETTE[2], (0, (1, 1)), "^"),
    (PALETTE[3], (0, (5, 1, 1, 1)), "D"),
    (PALETTE[4], (0, (2, 1)), "v"),
)
_WHOLE: _Look = (BLACK, (0, ()), "")
MOST_CLASSES = len(_LINES)
"""Of which lines can be told apart in one panel."""


class GateLine(NamedTuple):
    """The gates of one class, or of all images, by channel: means, and the spread over images where it is drawn."""

    label: str
    means: tuple[float, ...]
    spread: tuple[float, ...] | None
    whole: bool


class GatePanel(NamedTuple):
    """One unit: its name, the channels that are drawn, from 0, and the lines."""

    unit: str
    channels: tuple[int, ...]
    lines: tuple[GateLine, ...]


class GateFigure(NamedTuple):
    """What is drawn: panels in the order of the units, and the range of their axis."""

    panels: tuple[GatePanel, ...]
    low: float
    high: float


def class_figure(network: NetworkSummary, names: Sequence[str], chosen: Sequence[int]) -> GateFigure:
    """Return Fig. 6 of a network: the mean gates of some classes and of all images.

    Args:
        network: of one seed.
        names: of all classes.
        chosen: indices of the classes that are drawn.
    """

    def lines(unit: UnitSummary, channels: Sequence[int]) -> Iterator[GateLine]:
        yield GateLine("all images", _floats(unit.means, channels), None, whole=True)
        for k in chosen[:MOST_CLASSES]:
            yield GateLine(names[k], _floats(unit.by_class[k], channels), None, whole=False)

    return _figure(network, lines)


def spread_figure(network: NetworkSummary, names: Sequence[str], chosen: Sequence[int]) -> GateFigure:
    """Return Fig. 7 of a network: mean and standard deviation over the images of two classes; arguments as above."""

    def lines(unit: UnitSummary, channels: Sequence[int]) -> Iterator[GateLine]:
        for k in chosen[:2]:
            spread = _floats(unit.spread[k], channels)
            yield GateLine(names[k], _floats(unit.by_class[k], channels), spread, whole=False)

    return _figure(network, lines)


def drawn_units(units: Sequence[UnitSummary]) -> tuple[UnitSummary, ...]:
    """Return the units that have a panel: all, or where they are many those of the paper's figure.

    These are the last unit of each stage, and the last stage whole, as far as there is room.
    """
    if len(units) <= MOST_PANELS:
        return tuple(units)
    stages = sorted({unit.stage for unit in units})
    ends = [[unit for unit in units if unit.stage == stage][-1] for stage in stages]
    room = MOST_PANELS - len(ends)
    last = [unit for unit in units if unit.stage == stages[-1] and unit is not ends[-1]]
    chosen = {unit.name for unit in (*ends[-MOST_PANELS:], *(last[-room:] if room > 0 else ()))}
    return tuple(unit for unit in units if unit.name in chosen)


def _figure(
    network: NetworkSummary, lines_of: Callable[[UnitSummary, Sequence[int]], Iterator[GateLine]]
) -> GateFigure:
    panels = []
    for unit in drawn_units(network.units):
        channels = evenly(unit.channels, MOST_CHANNELS)
        panels.append(GatePanel(unit.name, channels, tuple(lines_of(unit, channels))))
    ends = [
        value + sign * (0.0 if np.isnan(part) else part)  # one image has no spread
        for panel in panels
        for line in panel.lines
        for value, part in zip(line.means, line.spread or (0.0,) * len(line.means), strict=True)
        for sign in (-1, 1)
        if not np.isnan(value)  # as those of a class without images are
    ]
    return GateFigure(tuple(panels), min(ends, default=0.0), max(ends, default=1.0))


def evenly(count: int, most: int) -> tuple[int, ...]:
    """Return at most so many indices below `count`, evenly spaced, with the first and the last."""
    if count <= most:
        return tuple(range(count))
    return tuple(round(place * (count - 1) / (most - 1)) for place in range(most))


def draw_gates(info: GateFigure) -> Figure:
    """Draw gates by channel: a line for each class, with a band of one standard deviation where it is known."""
    with style():
        across = min(_COLUMNS, len(info.panels))
        down = -(-len(info.panels) // across)
        figure = new_figure(0.45 + _PANEL_INCHES * down, width_inches=PAGE_INCHES)
        grid = figure.subplots(down, across, sharey=True, squeeze=False)
        panels = [axes for row in grid for axes in row]
        for axes, panel in zip(panels, info.panels, strict=False):
            _draw_panel(axes, panel)
        for axes in panels[len(info.panels) :]:
            axes.set_visible(False)
        reach = 0.04 * (info.high - info.low) or 0.05
        panels[0].set_ylim(info.low - reach, info.high + reach)
        panels[0].yaxis.set_major_locator(MaxNLocator(4))
        for place, axes in enumerate(panels[: len(info.panels)]):
            if place + across >= len(info.panels):
                axes.set_xlabel("channel")
            if place % across == 0:
                axes.set_ylabel("gate")
        handles, labels = panels[0].get_legend_handles_labels()
        legend_below(figure, handles, labels)
        fix_layout(figure)
        thin_ticks(panels[:1])  # the others have its axis of gates, and room for few numbers of channels
        return figure


def _draw_panel(axes: Axes, panel: GatePanel) -> None:
    places = np.array(panel.channels)
    every = max(1, round(_MARK_EVERY * len(places)))
    classes = 0
    for line in panel.lines:
        colour, dashes, marker = _WHOLE if line.whole else _LINES[classes]
        axes.plot(
            places, line.means, color=colour, linestyle=dashes, linewidth=1.6 if line.whole else 0.9,
            marker=marker, markersize=2.8, markeredgewidth=0, markevery=(classes % every, every),
            label=line.label, zorder=2 if line.whole else 3,
        )  # fmt: skip
        if line.spread is not None:
            low, high = (np.array(line.means) + sign * np.array(line.spread) for sign in (-1, 1))
            axes.fill_between(places, low, high, color=colour, alpha=0.25, linewidth=0)
        classes += not line.whole
    axes.set_title(panel.unit, fontsize=_TITLE, loc="left", pad=2)
    axes.set_xlim(-0.02 * places[-1] - 0.3, 1.02 * places[-1] + 0.3)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.grid(axis="y", color="#E4E4E4", linewidth=0.5)
    axes.set_axisbelow(True)


def _floats(values: Floats, channels: Sequence[int]) -> tuple[float, ...]:
    return tuple(float(values[channel]) for channel in channels)
