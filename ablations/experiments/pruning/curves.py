"""Plot of the error of pruned networks against what they cost, a curve for each ranking."""

from __future__ import annotations

import json
from itertools import cycle
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import ScaledTranslation

from ablations.analysis.plots.style import GREY, MARKERS, PALETTE, fix_layout, new_figure, style
from ablations.analysis.plots.ticks import thin_ticks
from ablations.analysis.plots.words import axis_head, legend_below, say_direction
from ablations.analysis.results.results import Results
from ablations.analysis.stats.interval import Interval
from ablations.analysis.stats.paired import estimate
from ablations.analysis.tables.cells import unit_of
from ablations.planning.factors.row import FactorRow
from ablations.planning.metric import Metric

CAPTION = (
    "Error of the pruned and fine-tuned networks against their parameters, multiply-adds and latency of one image: mean"
    " over seeds with its 95 % interval, a curve for each ranking, a point for each ratio; points of one cost are set "
    "side by side. Grey: the networks before anything is removed."
)
_COSTS = {
    "parameters": "parameters",
    "multiply_adds": "multiply-adds",
    "latency_ms": "latency (ms)",
}
_ASIDE = 2.2  # points on paper between rankings at one ratio, whose sizes are equal


class CostOf(NamedTuple):
    """One ratio of a ranking: the mean cost, and the error."""

    cost: float
    error: Interval


class RankingLine(NamedTuple):
    """A ranking's points, the cheapest first."""

    ranking: str
    points: tuple[CostOf, ...]


class CostPanel(NamedTuple):
    """Error against one cost, in the units of `head`; `full` is the network before pruning."""

    head: str
    lines: tuple[RankingLine, ...]
    full: CostOf | None


class PruningInfo(NamedTuple):
    """The plot: a panel for each cost."""

    panels: tuple[CostPanel, ...]
    metric: Metric


def curves_info(results: Results) -> PruningInfo:
    """Return error against cost; rows without a finished trial are left out."""
    panels = (_panel(results, cost, words) for cost, words in _COSTS.items())
    found = tuple(panel for panel in panels if panel.lines)
    return PruningInfo(found, results.design.study.metric)


def draw_curves(info: PruningInfo) -> Figure:
    """Draw a panel below the other for each cost."""
    with style():
        figure = new_figure(1.75 * len(info.panels))
        panels = figure.subplots(len(info.panels), squeeze=False)[:, 0]
        for axes, panel in zip(panels, info.panels, strict=True):
            _draw_panel(axes, panel, info.metric)
        say_direction(panels[0], info.metric.lower_is_better)
        legend_below(figure, *panels[0].get_legend_handles_labels())
        fix_layout(figure)
        thin_ticks(panels)
        return figure


def _panel(results: Results, cost: str, words: str) -> CostPanel:
    frame = results.trials.dropna(subset=[cost])
    levels = {o.label: o.level for family in results.families for o in family.outcomes}
    costs = {row: float(part.mean()) for row, part in frame.groupby("row")[cost]}
    of_ranking: dict[str, list[CostOf]] = {}
    for row in results.design.rows:
        assert isinstance(row, FactorRow)
        level = levels[row.label]
        if row.label in costs and level.mean is not None:
            point = CostOf(costs[row.label], Interval(level.mean, level.lo, level.hi))
            of_ranking.setdefault(json.loads(row.factors)["ranking"], []).append(point)
    full = None
    if len(frame):
        once = frame.drop_duplicates("seed")
        found = estimate(once["full_top1_error"].to_numpy())
        assert found.mean is not None
        mean = Interval(found.mean, found.lo, found.hi)
        full = CostOf(float(frame[f"full_{cost}"].mean()), mean)
    divisor, unit = unit_of(max((p.cost for points in of_ranking.values() for p in points), default=1.0))
    lines = tuple(
        RankingLine(ranking, tuple(sorted(_scaled(point, divisor) for point in points)))
        for ranking, points in of_ranking.items()
    )
    return CostPanel(
        f"{words} ({unit})" if unit else words, lines, full if full is None else _scaled(full, divisor)
    )


def _scaled(point: CostOf, divisor: float) -> CostOf:
    return point._replace(cost=point.cost / divisor)


def _draw_panel(axes: Axes, panel: CostPanel, metric: Metric) -> None:
    middle = (len(panel.lines) - 1) / 2
    figure = axes.get_figure(root=True)
    assert figure is not None
    for place, (line, colour, marker) in enumerate(
        zip(panel.lines, cycle(PALETTE), cycle(MARKERS), strict=False)
    ):
        aside = ScaledTranslation(_ASIDE * (place - middle) / 72, 0, figure.dpi_scale_trans)
        where = axes.transData + aside
        costs = [point.cost for point in line.points]
        means = [point.error.mean for point in line.points]
        axes.plot(
            costs, means, marker=marker, color=colour, markersize=3.6, label=line.ranking, transform=where
        )
        for point in line.points:
            if point.error.lo is not None and point.error.hi is not None:
                ends = [point.error.lo, point.error.hi]
                axes.plot(
                    [point.cost] * 2, ends, "-", color=colour, linewidth=0.7, alpha=0.6, transform=where
                )
    _set_limits(axes, panel)
    if panel.full is not None:
        axes.axhline(panel.full.error.mean, color=GREY, linewidth=0.8, linestyle=(0, (3, 2)), zorder=1)
        axes.plot(
            [panel.full.cost], [panel.full.error.mean], "o", color=GREY, markersize=4, label="nothing removed"
        )
    axes.grid(color="#E4E4E4", linewidth=0.5)
    axes.set_axisbelow(True)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.set_xlabel(panel.head)
    axes.set_ylabel(axis_head(metric))


def _set_limits(axes: Axes, panel: CostPanel) -> None:
    """Set what is shown; shifted lines are no part of what matplotlib would look at."""
    points = [point for line in panel.lines for point in line.points]
    points += [] if panel.full is None else [panel.full]
    costs = [point.cost for point in points]
    ends = [end for point in points for end in point.error if end is not None]
    for limits, values in ((axes.set_xlim, costs), (axes.set_ylim, ends)):
        room = 0.08 * (max(values) - min(values)) or 0.05 * abs(max(values)) or 0.5
        limits(min(values) - room, max(values) + room)
