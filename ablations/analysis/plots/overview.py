"""The picture of a whole report: every row's difference to the baseline with its interval, the best on top."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from ablations.analysis.plots.style import BLACK, GREY, fix_layout, new_figure, style
from ablations.analysis.plots.ticks import scaled_numbers, thin_ticks
from ablations.analysis.plots.words import SMALL, difference_head, folded, legend_below, points_across
from ablations.analysis.tables.glance.marks import MARKS
from ablations.analysis.tables.glance.rows import GlanceRow, GlanceRows, reach_of

MARGIN = "#DCE9DC"
MOST_ROWS = 60
"""Of more rows the best and the worst are shown, half of each."""
_PAPER = "#5B2A86"
_NAME_POINTS, _NAME_LINES, _TICK = 104.0, 3, 6.5
_AXIS_POINTS = 70.0
_BOLD = 1.15  # how much wider bold letters are
_LINE_INCHES, _GAP_INCHES = 0.115, 0.04
_SIZE = 4.6  # of markers, in points
_NO_VERDICT = MARKS["undetermined"]


def draw_overview(shown: GlanceRows) -> Figure:
    """Draw every row once; a colour and a shape for each verdict, a band for the margin, a cross for a paper's value.

    Args:
        shown: at least one row beside the baseline.
    """
    with style():
        rows, left_out = _ends(shown.rows)
        names = [_folded_name(row) for row in rows]
        heights, top = _heights(names, gap_after=len(rows) // 2 if left_out else None)
        figure = new_figure(0.62 + top)
        axes = figure.subplots()
        if shown.margin is not None:
            axes.axvspan(-shown.margin, shown.margin, color=MARGIN, linewidth=0, zorder=0)
        axes.axvline(0, color=BLACK, linewidth=0.8, zorder=1)
        low, high = reach_of(shown)
        axes.set_xlim(low, high)
        for row, height in zip(rows, heights, strict=True):
            _draw_row(axes, row, height, (low, high))
        if left_out:
            axes.text(
                low, heights[len(rows) // 2] + 0.5 * (_LINE_INCHES + 2 * _GAP_INCHES) + 0.02,
                f"  {left_out} rows between these are in the tables", fontsize=SMALL, color=GREY, va="center",
            )  # fmt: skip
        axes.set_yticks(heights, names)
        for tick, row in zip(axes.get_yticklabels(), rows, strict=True):
            tick.set_fontweight("bold" if row.kind == "baseline" else "normal")
        axes.set_ylim(0, top)
        if shown.several_axes:
            _name_axes(axes, rows, heights)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.xaxis.set_major_locator(MaxNLocator(6))
        axes.grid(axis="x", color="#E4E4E4", linewidth=0.5)
        axes.set_axisbelow(True)
        ways = ("◂ better", "worse ▸") if shown.metric.lower_is_better else ("◂ worse", "better ▸")
        axes.set_title(ways[0], loc="left", fontsize=_TICK, color=GREY, pad=3)
        axes.set_title(ways[1], loc="right", fontsize=_TICK, color=GREY, pad=3)
        head = f"{shown.metric.noun}: {difference_head(shown.metric)}{scaled_numbers(axes.xaxis)}"
        axes.set_xlabel(head)
        figure.draw_without_rendering()  # from here on it is known how wide the panel is
        head = folded(head, 7.0, points_across(axes), 3)
        axes.set_xlabel(head)
        figure.set_figheight(figure.get_figheight() + 0.13 * head.count("\n"))
        handles = _handles(shown)
        if handles:
            legend_below(figure, handles, [str(handle.get_label()) for handle in handles])
        fix_layout(figure)
        thin_ticks((axes,))
        return figure


def _name_axes(axes: Axes, rows: tuple[GlanceRow, ...], heights: list[float]) -> None:
    """Name at the right what each row varies."""
    right = axes.secondary_yaxis("right")
    right.set_yticks(heights, [folded(row.choice, SMALL, _AXIS_POINTS, 1) for row in rows])
    right.tick_params(axis="y", length=0, labelsize=SMALL, labelcolor=GREY)
    right.spines["right"].set_visible(False)


def _folded_name(row: GlanceRow) -> str:
    """Return a row's name in lines; that of the baseline is bold, and so wider."""
    if row.kind != "baseline":
        return folded(row.label, _TICK, _NAME_POINTS, _NAME_LINES)
    name = row.label if row.label == "baseline" else f"{row.label} (baseline)"
    return folded(name, _BOLD * _TICK, _NAME_POINTS, _NAME_LINES)


def _ends(rows: tuple[GlanceRow, ...]) -> tuple[tuple[GlanceRow, ...], int]:
    """Return the rows that are drawn, and how many are left out between the best and the worst of them."""
    if len(rows) <= MOST_ROWS:
        return rows, 0
    half = MOST_ROWS // 2
    return (*rows[:half], *rows[-half:]), len(rows) - 2 * half


def _heights(names: list[str], *, gap_after: int | None) -> tuple[list[float], float]:
    """Return the middle of each row from the axis up, and the height of all of them, in inches."""
    heights, at = [], 0.0
    for place in range(len(names) - 1, -1, -1):
        if gap_after is not None and place == gap_after - 1:
            at += _LINE_INCHES + _GAP_INCHES
        tall = _LINE_INCHES * (names[place].count("\n") + 1) + _GAP_INCHES
        heights.append(at + tall / 2)
        at += tall
    return heights[::-1], at


def _draw_row(axes: Axes, row: GlanceRow, height: float, reach: tuple[float, float]) -> None:
    mean, lo, hi = row.difference
    if row.kind == "baseline":
        axes.plot([mean], [height], "D", color=BLACK, markersize=3.4, zorder=3)
        return
    mark = MARKS.get(row.verdict, _NO_VERDICT)
    if lo is not None and hi is not None:
        axes.plot(
            [max(lo, reach[0]), min(hi, reach[1])], [height, height], "-", color=mark.colour, linewidth=1.2
        )
        for end, beyond, arrow in ((reach[0], lo < reach[0], "<"), (reach[1], hi > reach[1], ">")):
            if beyond:
                axes.plot([end], [height], arrow, color=mark.colour, markersize=3, clip_on=False)
    axes.plot(
        [mean], [height], mark.marker, color=mark.colour, markersize=_SIZE, markeredgewidth=1, zorder=3,
        markerfacecolor=mark.colour if mark.filled else "white",
    )  # fmt: skip
    if row.published is not None:
        axes.plot([row.published], [height], "x", color=_PAPER, markersize=3.6, markeredgewidth=1, zorder=4)


def _handles(shown: GlanceRows) -> list[Line2D]:
    """Return what the legend explains: the verdicts that occur, the paper's mark and the band."""
    there = {row.verdict for row in shown.compared}
    found = [
        Line2D([], [], color=mark.colour, marker=mark.marker, linestyle="", markersize=_SIZE, label=verdict,
               markerfacecolor=mark.colour if mark.filled else "white", markeredgewidth=1)
        for verdict, mark in MARKS.items() if verdict in there
    ]  # fmt: skip
    if "" in there:
        found.append(
            Line2D([], [], color=GREY, marker="o", markerfacecolor="white", linestyle="", markersize=_SIZE,
                   label="so far")
        )  # fmt: skip
    if any(row.published is not None for row in shown.rows):
        found.append(
            Line2D(
                [], [], color=_PAPER, marker="x", linestyle="", markersize=3.6, label="the paper's one run"
            )
        )
    if shown.margin is not None:
        within = f"{shown.metric.with_points(f'±{shown.margin:g}')}: the margin"
        found.append(Line2D([], [], color=MARGIN, linewidth=6, label=within))
    return found
