"""The picture of all rows: each once, its verdict in colour and shape, and every word of it can be read."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from matplotlib.lines import Line2D

from ablations.analysis.plots.overview import MOST_ROWS, draw_overview
from ablations.analysis.stats.interval import Interval
from ablations.analysis.tables.glance.marks import MARKS
from ablations.analysis.tables.glance.rows import GlanceRow, GlanceRows
from ablations.planning.metric import Metric
from tests.ablations.analysis.plots.test_readable import LONG, covered, outside

METRIC = Metric("top1", "top-1 error", "%", "points")
VERDICTS = tuple(MARKS)


def rows(count: int, *, long: bool = False, published: bool = False) -> GlanceRows:
    made = [
        GlanceRow(
            LONG.format(k) if long else f"SE r={k}",
            "variant",
            VERDICTS[k % len(VERDICTS)],
            Interval(k - count / 2, k - count / 2 - 0.5, k - count / 2 + 0.5),
            0.1 * k if published else None,
        )
        for k in range(count)
    ]
    made.insert(count // 2, GlanceRow("SE", "baseline", "", Interval(0.0, None, None)))
    return GlanceRows(tuple(made), 0.2, METRIC, "95 % t-interval")


def markers(shown: GlanceRows) -> list[tuple[str, str, float]]:
    [axes] = draw_overview(shown).axes
    lines = [
        line for line in axes.lines if isinstance(line, Line2D) and line.get_marker() not in ("", "None")
    ]
    return [(str(line.get_marker()), str(line.get_color()), float(line.get_xdata()[0])) for line in lines]


def test_colour_and_shape_of_a_row_are_those_of_its_verdict() -> None:
    shown = rows(5)
    drawn = {place: (marker, colour) for marker, colour, place in markers(shown)}
    for row in shown.compared:
        mark = MARKS[row.verdict]
        assert drawn[row.difference.mean] == (mark.marker, mark.colour)
    assert len({mark.marker for mark in MARKS.values()}) == len(MARKS)  # told apart without colours


def test_the_difference_of_a_paper_is_a_mark_of_its_own() -> None:
    crosses = [place for marker, _, place in markers(rows(4, published=True)) if marker == "x"]
    assert crosses == pytest.approx([0.0, 0.1, 0.2, 0.3])
    assert not [marker for marker, _, _ in markers(rows(4)) if marker == "x"]


def test_the_best_row_is_on_top() -> None:
    [axes] = draw_overview(rows(6)).axes
    names = [label.get_text() for label in axes.get_yticklabels()]
    heights = list(axes.get_yticks())
    assert names[0] == "SE r=0"
    assert all(above > below for above, below in pairwise(heights))


def test_rows_of_several_axes_have_their_choice_beside_them() -> None:
    shown = rows(4)
    several = tuple(
        replace(row, axis=axis, choice=f"{axis} {place}")
        for place, (row, axis) in enumerate(zip(shown.rows, ("squeeze", "reduction") * 9, strict=False))
    )
    figure = draw_overview(replace(shown, rows=several))
    [right] = figure.axes[0].child_axes
    assert [label.get_text() for label in right.get_yticklabels()] == [row.choice for row in several]
    assert list(right.get_yticks()) == list(figure.axes[0].get_yticks())
    assert figure.axes[0].get_window_extent().x1 < figure.get_window_extent().x1 - 20  # and have room there
    assert not draw_overview(shown).axes[0].child_axes


def test_an_interval_that_would_make_the_rest_small_is_cut_with_an_arrow() -> None:
    shown = rows(3)
    far = GlanceRow("far", "variant", "undetermined", Interval(1.0, -500.0, 500.0))
    cut = GlanceRows((*shown.rows, far), 0.2, METRIC)
    assert {"<", ">"} <= {marker for marker, _, _ in markers(cut)}
    low, high = draw_overview(cut).axes[0].get_xlim()
    assert -20 < low < high < 20


def test_of_very_many_rows_both_ends_are_shown_and_the_picture_says_what_is_not() -> None:
    [axes] = draw_overview(rows(200)).axes
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert len(names) == MOST_ROWS
    assert (names[0], names[-1]) == ("SE r=0", "SE r=199")
    assert [text.get_text().strip() for text in axes.texts] == ["141 rows between these are in the tables"]


@pytest.mark.parametrize("long", [False, True])
@pytest.mark.parametrize("count", [1, 17, 90])
def test_it_can_be_read(count: int, long: bool) -> None:
    figure = draw_overview(rows(count, long=long, published=True))
    assert covered(figure) == []
    assert outside(figure) == []
