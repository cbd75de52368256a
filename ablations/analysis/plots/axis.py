"""Plots of errors by seed with differences, and of training curves, from the numbers of `data`."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import cycle
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ablations.analysis.plots.data import AxisInfo, AxisRow, Band, CurvesInfo
from ablations.analysis.plots.style import BLACK, PALETTE, colour_of, fix_layout, new_figure, style
from ablations.analysis.plots.ticks import scaled_numbers, thin_ticks
from ablations.analysis.plots.words import direction, folded, legend_below, points_across, say_direction
from ablations.analysis.stats.interval import Interval
from ablations.analysis.tables.glance.marks import MARKS
from ablations.planning.row import RowKind

_MOST_CURVES = 12
_ONE_OF_MANY = "#9BB7CC"
_HEAD, _TICK = 7.0, 6.5  # points of the axes' labels, and of those of their ticks
_LINE_INCHES = 0.13
_NAME_POINTS, _NAME_LINES = 92.0, 5  # points on paper and lines that a row's name may take
MARGIN = "#E3EFE3"


def draw_axis(info: AxisInfo) -> Figure:
    """Draw the errors of an axis by seed, and beside them the paired differences to the baseline."""
    with style():
        names = [folded(_row_label(row), _TICK, _NAME_POINTS, _NAME_LINES) for row in reversed(info.rows)]
        tallest = max((name.count("\n") + 1 for name in names), default=1)
        figure = new_figure(0.65 + max(0.235, _LINE_INCHES * tallest) * max(2, len(info.rows)))
        left, right = figure.subplots(1, 2, sharey=True, gridspec_kw={"width_ratios": (1.25, 1)})
        if info.baseline is not None:
            _reference(left, info.baseline)
        right.axvline(0, color=BLACK, linewidth=0.8)
        if info.margin is not None:
            right.axvspan(-info.margin, info.margin, color=MARGIN, linewidth=0, zorder=0)
        for height, row in enumerate(reversed(info.rows)):
            _axis_row(left, right, height, row)
        left.set_yticks(range(len(info.rows)), names)
        left.set_ylim(-0.6, len(info.rows) - 0.4)
        for axes in (left, right):
            axes.tick_params(axis="y", length=0)
            axes.spines["left"].set_visible(False)
            axes.xaxis.set_major_locator(MaxNLocator(4))
            axes.grid(axis="x", color="#E4E4E4", linewidth=0.5)
            axes.set_axisbelow(True)
        better = direction(info.lower_is_better)
        heads = [
            f"{head}{scaled_numbers(axes.xaxis)}"
            for axes, head in ((left, info.head), (right, info.difference_head))
        ]
        left.set_xlabel(f"{heads[0]}\n{better}")
        figure.draw_without_rendering()  # from here on it is known how wide the panels are
        panels = (left, right)
        heads = [
            folded(head, _HEAD, points_across(axes), 4) for axes, head in zip(panels, heads, strict=True)
        ]
        for axes, head in zip(panels, heads, strict=True):
            axes.set_xlabel(f"{head}\n{better}")
        figure.set_figheight(figure.get_figheight() + _LINE_INCHES * max(head.count("\n") for head in heads))
        fix_layout(figure)
        thin_ticks(panels)
        return figure


def draw_curves(info: CurvesInfo) -> Figure:
    """Draw training loss and error by epoch, validation error, and the distance from the baseline's error below.

    Panels of what was not recorded are left out. The distance is that of the validation errors, where there are any
    (Fig. 4 of the paper has both errors in one panel).
    """
    with style():
        many = len(info.curves) > _MOST_CURVES
        styles = _line_styles([(curve.label, curve.kind) for curve in info.curves], many)
        compared = len(info.curves) > 1 and any(curve.gap.epochs for curve in info.curves)
        heads = ["training loss", "training error (%)"]
        heads += ["validation error (%)"] if info.validated else []
        heads += ["minus baseline's"] if compared else []
        figure = new_figure(1.35 * len(heads) + 0.5)
        axes = figure.subplots(len(heads), 1, sharex=True)
        for curve in info.curves:
            ranges = not many or curve.kind != "variant"  # those of many variants hide each other
            _draw_band(axes[0], curve.loss, styles[curve.label], ranges=ranges, label=curve.label)
            _draw_band(axes[1], curve.error, styles[curve.label], ranges=ranges)
            if info.validated:
                _draw_band(axes[2], curve.validation, styles[curve.label], ranges=ranges)
            if compared:
                _draw_band(axes[-1], curve.gap, styles[curve.label], ranges=False)
        for panel, head in zip(axes, heads, strict=True):
            panel.set_ylabel(head + scaled_numbers(panel.yaxis))
            say_direction(panel)
        figure.align_ylabels(list(axes))
        axes[-1].set_xlabel("epoch")
        axes[-1].xaxis.set_major_locator(MaxNLocator(6, integer=True))
        _legend(figure, axes[0], styles, many)
        fix_layout(figure)
        thin_ticks(axes)
        return figure


def _legend(figure: Figure, axes: Axes, styles: Mapping[str, Mapping[str, Any]], many: bool) -> None:
    handles, labels = axes.get_legend_handles_labels()
    if many:
        found = list(zip(handles, labels, strict=True))
        shown = [(handle, label) for handle, label in found if styles[label]["color"] != _ONE_OF_MANY]
        others = [handle for handle, label in found if styles[label]["color"] == _ONE_OF_MANY]
        shown.append((others[0], f"{len(others)} variants"))
        handles, labels = [handle for handle, _ in shown], [label for _, label in shown]
    legend_below(figure, handles, labels)


def _row_label(row: AxisRow) -> str:
    named = row.kind == "baseline" and len(row.label) < 12 and row.label != "baseline"
    return f"{row.label} (baseline)" if named else row.label


def _reference(axes: Axes, baseline: Interval) -> None:
    axes.axvline(baseline.mean, color=BLACK, linewidth=0.8, zorder=1)
    if baseline.lo is not None and baseline.hi is not None:
        axes.axvspan(baseline.lo, baseline.hi, color="#D9D9D9", linewidth=0, zorder=0, alpha=0.7)


def _axis_row(left: Axes, right: Axes, height: int, row: AxisRow) -> None:
    colour = colour_of(row.kind)
    spread = [height - 0.22] * len(row.values)  # below the mean, so that neither hides the other
    left.plot(row.values, spread, "o", color=colour, markersize=2.2, alpha=0.45, markeredgewidth=0)
    _bar(left, row.error, height + 0.12, colour, filled=True)
    if row.difference is not None:
        mark = MARKS.get(row.verdict, MARKS["undetermined"])
        _bar(right, row.difference, height, mark.colour, filled=mark.filled, marker=mark.marker)


def _bar(
    axes: Axes, interval: Interval, height: float, colour: str, *, filled: bool, marker: str = "o"
) -> None:
    if interval.lo is not None and interval.hi is not None:
        axes.plot([interval.lo, interval.hi], [height, height], "-", color=colour, linewidth=1.2)
    face = colour if filled else "white"
    axes.plot(
        [interval.mean],
        [height],
        marker,
        markersize=3.6,
        color=colour,
        markerfacecolor=face,
        markeredgewidth=1,
    )


def _line_styles(lines: list[tuple[str, RowKind]], many: bool) -> Mapping[str, Mapping[str, Any]]:
    styles: dict[str, Mapping[str, Any]] = {}
    several = cycle([(colour, dash) for dash in ("-", (0, (4, 1.5))) for colour in PALETTE])
    for label, kind in lines:
        if kind != "variant":
            styles[label] = {
                "color": colour_of(kind),
                "linestyle": "-" if kind == "baseline" else (0, (1, 1)),
                "zorder": 3,
            }
        elif many:
            styles[label] = {"color": _ONE_OF_MANY, "linestyle": "-", "linewidth": 0.6}
        else:
            colour, dash = next(several)
            styles[label] = {"color": colour, "linestyle": dash}
    return styles


def _draw_band(
    axes: Axes, band: Band, line_style: Mapping[str, Any], *, ranges: bool, label: str | None = None
) -> None:
    if not band.epochs:
        return
    marker = "o" if len(band.epochs) == 1 else ""
    axes.plot(band.epochs, band.mean, marker=marker, markersize=3, label=label, **line_style)
    if ranges and band.lowest:
        axes.fill_between(
            band.epochs, band.lowest, band.highest, color=line_style["color"], alpha=0.12, linewidth=0
        )
