"""Plot of the differences by class: a panel for each row, a line for each class."""

from __future__ import annotations

from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ablations.analysis.plots.style import BLACK, PALETTE, fix_layout, new_figure, style
from ablations.analysis.plots.ticks import thin_ticks
from ablations.analysis.plots.words import direction, folded, points_across
from ablations.analysis.results.outcomes.by_class import ByClass, OfClass

MOST_PANELS = 12
MOST_CLASSES = 20
MOST_LINES = 60
"""Classes below one another, so that a figure is not taller than a page."""

_COLUMNS = 2
_CLASS_INCHES = 0.125
_TICK, _TITLE = 6.0, 6.5  # points
_NAME_POINTS = 62.0


@dataclass(frozen=True)
class ClassPanel:
    """One row's differences, in the order of the classes: mean, ends of the interval, whether the class differs."""

    label: str
    points: tuple[tuple[float, float | None, float | None, bool], ...]


@dataclass(frozen=True)
class ByClassInfo:
    """What is drawn.

    Attributes:
        classes: their names, the hardest for the baseline first.
        left_out: classes that have no room: those that differ least.
        panels: at least one.
    """

    classes: tuple[str, ...]
    left_out: int
    panels: tuple[ClassPanel, ...]


def by_class_info(found: ByClass) -> ByClassInfo | None:
    """Return what is drawn of a study; None without labels, and where there are more rows than panels."""
    rows = [row for row in found.rows if row.classes]
    if not 0 < len(rows) <= MOST_PANELS:
        return None
    places = range(len(rows[0].classes))
    largest = [max(abs(row.classes[place].found.difference.mean) for row in rows) for place in places]
    most = min(MOST_CLASSES, MOST_LINES // -(-len(rows) // _COLUMNS))
    chosen = sorted(places, key=lambda place: -largest[place])[:most]
    chosen.sort(key=lambda place: -rows[0].classes[place].found.baseline)
    return ByClassInfo(
        tuple(rows[0].classes[place].name for place in chosen),
        len(places) - len(chosen),
        tuple(ClassPanel(row.label, tuple(_point(row.classes[place]) for place in chosen)) for row in rows),
    )


def by_class_caption(info: ByClassInfo) -> str:
    """Return the words below the plot."""
    fewer = f" The {info.left_out} classes that differ least are left out." if info.left_out else ""
    return (
        "Difference to the baseline by class of the test images, the class with the baseline's highest error above."
        " Bars: intervals over new seeds and new images that hold for all classes and rows together, 95 %. Filled: the"
        f" class differs after Holm's correction over all of them.{fewer}"
    )


def draw_by_class(info: ByClassInfo) -> Figure:
    """Draw the differences to the baseline by class, in small panels of one scale."""
    with style():
        across = min(_COLUMNS, len(info.panels))
        down = -(-len(info.panels) // across)
        figure = new_figure(0.45 + down * (0.3 + _CLASS_INCHES * max(2, len(info.classes))))
        panels = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False)
        used = [panels[place // across][place % across] for place in range(down * across)]
        for axes, panel in zip(used, info.panels, strict=False):
            _draw_panel(axes, panel)
        for axes in used[len(info.panels) :]:
            axes.set_visible(False)
        for axes in used[len(info.panels) - across : len(info.panels)]:
            axes.tick_params(axis="x", labelbottom=True)  # the last of a column, if it is not at the bottom
        names = [folded(name, _TICK, _NAME_POINTS, 1) for name in info.classes]
        used[0].set_yticks(range(len(names)), names)
        used[0].set_ylim(len(names) - 0.4, -0.6)  # the hardest class above
        used[0].xaxis.set_major_locator(MaxNLocator(4))
        figure.supxlabel(f"difference to the baseline (points)\n{direction(True)}", fontsize=7)
        figure.draw_without_rendering()  # from here on it is known how wide the panels are
        for axes, panel in zip(used, info.panels, strict=False):
            axes.set_title(
                folded(panel.label, _TITLE, points_across(axes)), fontsize=_TITLE, loc="left", pad=2
            )
        fix_layout(figure)
        thin_ticks((used[len(info.panels) - across],))  # all have the same
        return figure


def _draw_panel(axes: Axes, panel: ClassPanel) -> None:
    axes.axvline(0, color=BLACK, linewidth=0.8)
    bars = [(height, lo, hi) for height, (_, lo, hi, _) in enumerate(panel.points) if lo is not None]
    if bars:
        heights, lows, highs = zip(*bars, strict=True)
        axes.hlines(heights, lows, highs, color=PALETTE[0], linewidth=1.0)
    for filled in (False, True):
        dots = [
            (mean, height) for height, (mean, *_, differs) in enumerate(panel.points) if differs == filled
        ]
        axes.plot(
            [mean for mean, _ in dots], [height for _, height in dots], "o", color=PALETTE[0], markersize=3.2,
            markeredgewidth=0.9, markerfacecolor=PALETTE[0] if filled else "white",
        )  # fmt: skip
    axes.tick_params(axis="y", length=0, labelsize=_TICK)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x", color="#E4E4E4", linewidth=0.5)
    axes.set_axisbelow(True)


def _point(one: OfClass) -> tuple[float, float | None, float | None, bool]:
    d = one.found.difference
    return d.mean, d.lo, d.hi, one.differs
