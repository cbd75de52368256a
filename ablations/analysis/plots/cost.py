"""Plot of error against cost."""

from __future__ import annotations

from itertools import compress
from statistics import mean

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from ablations.analysis.plots.data import CostInfo, CostPoint
from ablations.analysis.plots.label_placement import Box, place_labels
from ablations.analysis.plots.style import GREY, MARKERS, PALETTE, colour_of, fix_layout, new_figure, style
from ablations.analysis.plots.ticks import scaled_numbers, thin_ticks
from ablations.analysis.plots.words import SMALL, axis_head, legend_below, say_direction, text_width
from ablations.analysis.stats.interval import Interval

_MOST_LABELS = 40  # beyond, there is no room, and only the baseline is named
_CLOSE = 1.0  # points on paper; what is closer is of about one cost
_BESIDE = 2.6  # points on paper between points of one cost
_WIDEST = 16.0  # points on paper over which they are spread: farther, and they would be read as other costs


def draw_cost(info: CostInfo) -> Figure:
    """Draw error against cost, every point named, points of one cost side by side.

    Where the names have no room beside the points, numbers stand there, and the names below the plot.
    """
    with style():
        figure, clear = _drawn(info, numbered=False)
        return figure if clear else _drawn(info, numbered=True)[0]


def _drawn(info: CostInfo, *, numbered: bool) -> tuple[Figure, bool]:
    """Return the figure, and whether every name has room; one that has none is left out."""
    figure = new_figure(2.9)
    axes = figure.subplots()
    if info.logarithmic:
        axes.set_xscale("log")
    axes.grid(color="#E4E4E4", linewidth=0.5)
    axes.set_axisbelow(True)
    _set_cost_limits(axes, info)
    axes.set_xlabel(info.head if info.logarithmic else info.head + scaled_numbers(axes.xaxis))
    axes.set_ylabel(axis_head(info.metric))
    say_direction(axes, info.metric.lower_is_better)
    if info.plain is not None:
        _plain_line(axes, info.plain)
    axis_names = list(dict.fromkeys(point.axis for point in info.points if point.kind == "variant"))
    if numbered:
        _legend(figure, info, axis_names)
    fix_layout(figure)  # from here on distances on paper are known
    thin_ticks((axes,))
    spots, obstacles = _draw_points(figure, axes, info, axis_names)
    names = [str(n) if numbered else point.label for n, point in enumerate(info.points, 1)]
    clear = _draw_labels(figure, axes, info, names, spots, obstacles)
    return figure, clear


def _legend(figure: Figure, info: CostInfo, axis_names: list[str]) -> None:
    handles = []
    for point in info.points:
        colour, marker = _point_style(point, axis_names)
        handles.append(Line2D([], [], color=colour, marker=marker, linestyle="", markersize=3.6))
    legend_below(figure, handles, [f"{n}  {point.label}" for n, point in enumerate(info.points, 1)])


def _set_cost_limits(axes: Axes, info: CostInfo) -> None:
    costs = [point.cost for point in info.points]
    errors = [point.error for point in info.points] + ([info.plain] if info.plain is not None else [])
    ends = [end for error in errors for end in error if end is not None]
    low, high = min(costs), max(costs)
    if info.logarithmic:
        margin = (high / low) ** 0.18
        axes.set_xlim(low / margin, high * margin)
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 300 * low else (1,), numticks=12))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    else:
        margin = 0.18 * (high - low) or 0.05 * high
        axes.set_xlim(low - margin, high + margin)
        axes.xaxis.set_major_locator(MaxNLocator(5))
    reach = 0.12 * (max(ends) - min(ends)) or 0.5
    axes.set_ylim(min(ends) - reach, max(ends) + reach)


def _plain_line(axes: Axes, plain: Interval) -> None:
    axes.axhline(plain.mean, color=GREY, linewidth=0.8, linestyle=(0, (3, 2)), zorder=1)
    if plain.lo is not None and plain.hi is not None:
        axes.axhspan(plain.lo, plain.hi, color="#E9E9E9", linewidth=0, zorder=0)
    axes.annotate(
        "plain", (1, plain.mean), (2, 0), xycoords=("axes fraction", "data"), textcoords="offset points",
        ha="left", va="center", color=GREY, fontsize=5.8,
    )  # fmt: skip


def _draw_points(
    figure: Figure, axes: Axes, info: CostInfo, axis_names: list[str]
) -> tuple[list[tuple[float, float]], list[Box]]:
    """Draw in points on paper, where markers and labels have a size.

    Returns:
        Where each point is, and what no label should cover: for each point its marker, then the bars.
    """
    to_points = 72 / figure.dpi
    back = axes.transData.inverted()
    spots, markers, bars = [], [], []
    for point, across in zip(info.points, _side_by_side(axes, info, to_points), strict=True):
        up = axes.transData.transform((point.cost, point.error.mean))[1]
        x = back.transform((across / to_points, up))[0]
        colour, marker = _point_style(point, axis_names)
        if point.error.lo is not None and point.error.hi is not None:
            axes.plot([x, x], [point.error.lo, point.error.hi], "-", color=colour, linewidth=0.7, alpha=0.5)
            ends = axes.transData.transform([(x, point.error.lo), (x, point.error.hi)])[:, 1] * to_points
            bars.append(Box(across - 0.8, ends[0], across + 0.8, ends[1]))
        axes.plot(
            [x], [point.error.mean], marker, color=colour, markersize=3.6, markeredgecolor="white",
            markeredgewidth=0.4, zorder=3 if point.kind == "variant" else 4,
        )  # fmt: skip
        spots.append((across, up * to_points))
        markers.append(Box(across - 2.4, up * to_points - 2.4, across + 2.4, up * to_points + 2.4))
    return spots, [*markers, *bars]


def _side_by_side(axes: Axes, info: CostInfo, to_points: float) -> list[float]:
    """Return horizontal positions on paper: points of about one cost spread around it, the cheaper to the left."""
    costs = [axes.transData.transform((point.cost, 0))[0] * to_points for point in info.points]
    groups: list[list[int]] = []
    for index in sorted(range(len(costs)), key=lambda index: info.points[index].cost):
        groups.append([index])
        while len(groups) > 1 and _spread(costs, groups[-2])[-1] + _CLOSE > _spread(costs, groups[-1])[0]:
            last = groups.pop()
            groups[-1] += last
    positions = costs.copy()
    for members in groups:
        for index, position in zip(members, _spread(costs, members), strict=True):
            positions[index] = position
    return positions


def _spread(costs: list[float], members: list[int]) -> list[float]:
    """Return positions for a group, from left to right, around its mean cost."""
    own = [costs[index] for index in members]
    step = min(_BESIDE, max(_WIDEST, own[-1] - own[0]) / len(own))
    return [mean(own) + step * (order - (len(own) - 1) / 2) for order in range(len(own))]


def _point_style(point: CostPoint, axis_names: list[str]) -> tuple[str, str]:
    if point.kind != "variant":
        return colour_of(point.kind), "o" if point.kind == "baseline" else "s"
    place = axis_names.index(point.axis)
    return PALETTE[place % len(PALETTE)], MARKERS[place % len(MARKERS)]


def _draw_labels(
    figure: Figure, axes: Axes, info: CostInfo, names: list[str], spots: list[tuple[float, float]],
    obstacles: list[Box],
) -> bool:  # fmt: skip
    """Draw a name at each point, but none that would cover another; return whether all of them are there."""
    to_points = 72 / figure.dpi
    axis_names = list(dict.fromkeys(point.axis for point in info.points if point.kind == "variant"))
    crowded = len(info.points) > _MOST_LABELS
    named = [not crowded or point.kind == "baseline" for point in info.points]
    names = [point.label if crowded else name for point, name in zip(info.points, names, strict=True)]
    spots = list(compress(spots, named))
    sizes = [(text_width(name, SMALL) + 1, 1.2 * SMALL) for name in compress(names, named)]
    frame = Box(*(end * to_points for end in axes.get_window_extent().extents))
    boxes = place_labels(spots, sizes, obstacles, frame)
    markers = obstacles[: len(info.points)]
    outline = [withStroke(linewidth=1.6, foreground="white")]  # readable where a line crosses it
    shown: list[Box] = []
    for point, name, box, spot in zip(
        compress(info.points, named), compress(names, named), boxes, spots, strict=True
    ):
        if box.outside(frame) > 1 or any(box.overlap(other) > 0 for other in (*shown, *markers)):
            continue
        shown.append(box)
        axes.annotate(
            name, (box.x0, box.y0 + 0.2 * SMALL), xycoords="figure points", fontsize=SMALL, path_effects=outline,
            color=_point_style(point, axis_names)[0],
        )  # fmt: skip
        nearest = min(max(spot[0], box.x0), box.x1), min(max(spot[1], box.y0), box.y1)
        if abs(nearest[0] - spot[0]) + abs(nearest[1] - spot[1]) > 9:
            axes.annotate(
                "", nearest, spot, xycoords="figure points", textcoords="figure points",
                arrowprops={"arrowstyle": "-", "linewidth": 0.4, "color": "#999", "shrinkA": 3, "shrinkB": 0},
            )  # fmt: skip
    return len(shown) == len(boxes)
