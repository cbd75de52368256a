"""Plots of choices: the Pareto front of a search, and the values that a tuning tried."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.text import Annotation
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from ablations.analysis.plots.style import BLACK, GREY, MARKERS, PALETTE, fix_layout, new_figure, style
from ablations.analysis.plots.ticks import thin_ticks
from ablations.analysis.plots.words import axis_head, legend_below, say_direction
from ablations.analysis.results.results import Results
from ablations.analysis.results.selection import Candidate, Choice, winners_of
from ablations.planning.metric import Metric

_MOST_PANELS = 3
_HEADS = {
    "parameters": "parameters",
    "multiply_adds": "multiply-adds",
    "latency": "latency of one image (ms)",
}


def progress_caption(metric: Metric) -> str:
    """Return what `draw_progress` shows."""
    name, best = metric.name[:1].upper() + metric.name[1:], "lowest" if metric.lower_is_better else "highest"
    return (
        f"{name} of every proposal of the search in turn; the line is the {best} so far. Black circle: the study's "
        "baseline."
    )


def tuning_caption(metric: Metric) -> str:
    """Return what `draw_tuning` shows."""
    name, edge = metric.name[:1].upper() + metric.name[1:], "top" if metric.lower_is_better else "bottom"
    return (
        f"{name} of every proposal by the value that was tried, one colour for each row; filled: what was chosen. "
        f"Crosses at the {edge}: pruned or diverged."
    )


def shown_by(choices: Sequence[Choice]) -> list[object]:
    """Return the numbers that the plots of choices show."""
    return [
        (choice.arm.label, [(j.proposal.number, j.proposal.params, j.state, j.values) for j in choice.judged])
        for choice in choices
    ]


def draw_front(choice: Choice, results: Results, objective: str) -> Figure:
    """Draw what is measured on validation data against another objective."""
    names = [each.name for each in choice.arm.objectives]
    x, y = names.index(objective), choice.arm.place
    judged = choice.arm.judged_by
    with style():
        figure = new_figure(2.7)
        axes = figure.subplots()
        _grid(axes)
        axes.set_xlabel(_HEADS.get(objective) or axis_head(choice.arm.objectives[x].metric))
        axes.set_ylabel(axis_head(judged.metric))
        say_direction(axes, judged.metric.lower_is_better)
        costs = [c.values[x] for c in choice.candidates]
        if max(costs) > 3 * min(costs) > 0:
            _logarithmic(axes)
        front, marked = _front_of(choice, x, y), _marked(choice, results)
        shown = [c.costs[y] for c in (*front, *(mark.candidate for mark in marked))]
        ceiling = _ceiling([c.costs[y] for c in choice.candidates], shown)
        for beyond, marker in ((False, "o"), (True, "^" if judged.metric.lower_is_better else "v")):
            some = [c for c in choice.candidates if (c.costs[y] > ceiling) == beyond]
            heights = [judged.cost(min(c.costs[y], ceiling)) for c in some]
            axes.plot(
                [c.values[x] for c in some],
                heights,
                marker,
                color="#BBBBBB",
                markersize=2.6,
                linestyle="",
                zorder=2,
            )
        line = [c.values[x] for c in front], [c.values[y] for c in front]
        axes.step(*line, where="post", color=PALETTE[0], zorder=3)
        axes.plot(*line, "o", color=PALETTE[0], markersize=3.4, zorder=4)
        labels = _draw_marked(axes, marked, x, y)
        axes.margins(x=0.22, y=0.12)
        fix_layout(figure)
        for label in labels:
            if label.get_window_extent().x1 > figure.bbox.x1:  # beyond the figure: to the left of its mark
                label.set(ha="right", position=(-4, label.get_position()[1]))
        thin_ticks((axes,))
        return figure


class _Mark(NamedTuple):
    """A candidate that is drawn with a marker and its label."""

    candidate: Candidate
    marker: str
    colour: str
    size: float


def _marked(choice: Choice, results: Results) -> list[_Mark]:
    search = results.design.study.search
    assert search is not None
    winners = winners_of(choice, search.winners) if choice.over else ()
    return [
        *(_Mark(c, "D", PALETTE[1], 6.4) for c in winners),
        *(_Mark(c, "s", GREY, 3.8) for c in _network(choice, results.design.plain)),
        *(_Mark(c, "o", BLACK, 4.6) for c in _network(choice, results.design.baseline)),
    ]


def _draw_marked(axes: Axes, marked: Sequence[_Mark], x: int, y: int) -> list[Annotation]:
    for c, marker, colour, size in marked:
        axes.plot([c.values[x]], [c.values[y]], marker, color=colour, markersize=size, zorder=5)
    named = {
        mark.candidate.row.label: mark for mark in marked
    }  # of two marks on one network the last has the label
    in_order = sorted(named.values(), key=lambda mark: mark.candidate.values[x])
    return [
        axes.annotate(
            c.row.label, (c.values[x], c.values[y]), (4, -9 if place % 2 else 5), textcoords="offset points",
            fontsize=5.4, color=colour, path_effects=[withStroke(linewidth=1.5, foreground="white")], zorder=6,
        )
        for place, (c, _, colour, _) in enumerate(in_order)
    ]  # fmt: skip


def _ceiling(errors: Sequence[float], shown: Sequence[float]) -> float:
    """Return the worst figure to draw: what is marked, and all but a few that would press the others together."""
    low, high = np.percentile(errors, [25, 75])
    return max(*shown, float(high + 1.5 * (high - low)))


def draw_progress(choice: Choice, results: Results) -> Figure:
    """Draw the figures on validation data of a search of one objective in their order."""
    judged = choice.arm.judged_by
    with style():
        figure = new_figure(2.3)
        axes = figure.subplots()
        _grid(axes)
        axes.set_xlabel("proposal")
        axes.set_ylabel(axis_head(judged.metric))
        say_direction(axes, judged.metric.lower_is_better)
        done = [(j.proposal.number + 1, j.values[0]) for j in choice.judged if j.values is not None]
        axes.plot(*zip(*done, strict=True), "o", color="#BBBBBB", markersize=2.8, zorder=2)
        best = [min((value for _, value in done[: k + 1]), key=judged.cost) for k in range(len(done))]
        axes.step([number for number, _ in done], best, where="post", color=PALETTE[0], zorder=3)
        base = results.design.baseline.identity
        own = [
            (j.proposal.number + 1, j.values[0]) for j in choice.judged if j.values and j.row.identity == base
        ]
        if own:
            axes.plot(*zip(*own, strict=True), "o", color=BLACK, markersize=4, zorder=4)
        fix_layout(figure)
        thin_ticks((axes,))
        return figure


def draw_tuning(choices: Sequence[Choice]) -> Figure | None:
    """Draw what a tuned study tried: a panel for each range, at most three; None where every field is a choice."""
    ranges = [d for d in choices[0].arm.space.dimensions if not d.choices][:_MOST_PANELS]
    finished = [v for choice in choices for j in choice.judged if (v := j.values) is not None]
    if not ranges or not finished:
        return None
    judged = choices[0].arm.judged_by
    worst = max((value[0] for value in finished), key=judged.cost)
    styles = [(PALETTE[k % len(PALETTE)], MARKERS[k % len(MARKERS)]) for k in range(len(choices))]
    with style():
        figure = new_figure(1.9 * len(ranges) + 0.3)
        panels = figure.subplots(len(ranges), 1, squeeze=False)[:, 0]
        for panel, dimension in zip(panels, ranges, strict=True):
            _grid(panel)
            if dimension.log:
                _logarithmic(panel)
            panel.set_xlabel(dimension.name.replace("_", " "))
            panel.set_ylabel(axis_head(judged.metric))
            say_direction(panel, judged.metric.lower_is_better)
            for choice, (colour, marker) in zip(choices, styles, strict=True):
                _draw_proposals(panel, choice, dimension.name, worst, colour, marker)
        handles = [
            Line2D([], [], color=colour, marker=marker, linestyle="", markersize=3.5, label=choice.arm.label)
            for choice, (colour, marker) in zip(choices, styles, strict=True)
        ]
        legend_below(figure, handles, [choice.arm.label for choice in choices])
        fix_layout(figure)
        thin_ticks(panels)
        return figure


def _draw_proposals(panel: Axes, choice: Choice, field: str, worst: float, colour: str, marker: str) -> None:
    for j in choice.judged:
        at = float(j.proposal.params[field])
        if j.values is not None:
            chosen = choice.best is not None and dict(choice.best.params) == dict(j.proposal.params)
            panel.plot(
                [at], [j.values[0]], marker, color=colour, markersize=4.6 if chosen else 3.2, markeredgewidth=0.8,
                markerfacecolor=colour if chosen else "white", zorder=4 if chosen else 3,
            )  # fmt: skip
        elif j.counts:
            panel.plot([at], [worst], "x", color=colour, markersize=3.2, markeredgewidth=0.7)


def _grid(axes: Axes) -> None:
    axes.grid(color="#E4E4E4", linewidth=0.5)
    axes.set_axisbelow(True)


def _logarithmic(axes: Axes) -> None:
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 3), numticks=8))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _front_of(choice: Choice, x: int, y: int) -> list[Candidate]:
    """Return the front in these two objectives alone, by rising cost."""
    found: list[Candidate] = []
    for c in sorted(choice.candidates, key=lambda c: (c.costs[x], c.costs[y])):
        if not found or c.costs[y] < found[-1].costs[y]:
            found.append(c)
    return found


def _network(choice: Choice, row: object) -> list[Candidate]:
    wanted = getattr(row, "identity", None)
    return [c for c in choice.candidates if c.row.identity == wanted]
