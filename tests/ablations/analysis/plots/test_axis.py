"""Plots: the numbers that they show, labels that do not cover each other, and equal bytes for equal numbers."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pytest

from ablations.analysis.plots.axis import draw_axis, draw_curves
from ablations.analysis.plots.cost import draw_cost
from ablations.analysis.plots.data import axis_info, cost_info, curves_info
from ablations.analysis.plots.label_placement import Box, place_labels
from ablations.analysis.plots.style import COLUMN_INCHES, render
from ablations.analysis.results.families import Family
from ablations.analysis.results.results import Results
from tests.ablations.analysis.synthetic import simulated, study_design, write_record


def study(
    folder: Path, lines: dict[str, Any] | None = None, **changes: Any
) -> tuple[Results, tuple[Family, ...]]:
    plan = study_design(**{"seeds": 4, **changes})
    results = Results(plan, write_record(folder, simulated(plan, **(lines or {}))))
    return results, results.families


def test_an_axis_plot_shows_every_seed_its_mean_and_the_difference(tmp_path: Path) -> None:
    _, groups = study(tmp_path, {"fail": [("SE r=4", 1)], "effects": {"plain": 2.0}})
    info = axis_info(groups[0])
    rows = {row.label: row for row in info.rows}
    assert list(rows) == ["plain", "SE r=4", "SE", "SE r=32"]
    assert [len(row.values) for row in info.rows] == [4, 3, 4, 4]
    assert rows["SE"].error.mean == pytest.approx(sum(rows["SE"].values) / 4)
    assert rows["SE"].difference is None
    assert info.baseline == rows["SE"].error
    assert rows["plain"].difference is not None
    assert rows["plain"].difference.mean == pytest.approx(rows["plain"].error.mean - rows["SE"].error.mean)
    assert (rows["plain"].verdict, rows["SE r=32"].verdict) == ("worse", "undetermined")
    assert info.margin == 0.2


def test_cells_without_a_result_are_left_out_of_plots(tmp_path: Path) -> None:
    _, groups = study(tmp_path, {"skip": [("SE", seed) for seed in range(4)]})
    info = axis_info(groups[0])
    assert "SE" not in [row.label for row in info.rows]
    assert info.baseline is None
    draw_axis(info)


def test_cost_is_what_is_added_to_plain(tmp_path: Path) -> None:
    _, groups = study(tmp_path)
    info = cost_info(groups, "parameters")
    assert info.head == "extra parameters over plain (%)"
    assert {p.label: round(p.cost, 3) for p in info.points}["SE"] == 0.740
    assert info.plain is not None
    assert "plain" not in [p.label for p in info.points]
    assert info.logarithmic  # r = 4 adds eight times what r = 32 adds


def test_without_plain_cost_is_the_count(tmp_path: Path) -> None:
    _, groups = study(tmp_path, include_plain=False)
    info = cost_info(groups, "multiply_adds")
    assert (info.head, info.logarithmic, info.plain) == ("multiply-adds (M)", False, None)
    assert {p.label: round(p.cost, 3) for p in info.points}["SE"] == 40.812
    draw_cost(info)


def test_curves_hold_mean_and_range_by_epoch(tmp_path: Path) -> None:
    results, groups = study(tmp_path, {"epochs": 3})
    info = curves_info(groups[0], results)
    curve = next(curve for curve in info.curves if curve.kind == "baseline")
    assert curve.loss.epochs == (1.0, 2.0, 3.0)
    assert set(curve.gap.mean) == {0.0}
    other = next(curve for curve in info.curves if curve.label == "SE r=4")
    [row] = (row for row in results.design.rows if row.label == "SE r=4")
    pairs = zip(results.of_row(row), results.of_row(results.design.baseline), strict=True)
    gaps = [a.history[2].train_error - b.history[2].train_error for a, b in pairs]
    assert (other.gap.lowest[2], other.gap.highest[2]) == (min(gaps), max(gaps))
    losses = [record.history[0].train_loss for record in results.of_row(results.design.baseline)]
    assert curve.loss.mean[0] == pytest.approx(sum(losses) / 4)
    assert (curve.loss.lowest[0], curve.loss.highest[0]) == (min(losses), max(losses))


def test_errors_on_watched_images_are_drawn_beside_those_in_training(tmp_path: Path) -> None:
    results, groups = study(tmp_path, {"epochs": 3, "watched": True})
    info = curves_info(groups[0], results)
    assert info.validated
    for curve in info.curves:
        assert curve.validation.mean == pytest.approx([error + 2 for error in curve.error.mean])
    heads = [axes.get_ylabel() for axes in draw_curves(info).axes]
    assert heads == ["training loss", "training error (%)", "validation error (%)", "minus baseline's"]


def test_without_them_there_is_no_panel(tmp_path: Path) -> None:
    results, groups = study(tmp_path, {"epochs": 3})
    info = curves_info(groups[0], results)
    assert not info.validated
    heads = [axes.get_ylabel() for axes in draw_curves(info).axes]
    assert heads == ["training loss", "training error (%)", "minus baseline's"]


@pytest.mark.parametrize("epochs", [0, 1])
def test_short_histories_are_drawn(tmp_path: Path, epochs: int) -> None:
    results, groups = study(tmp_path, {"epochs": epochs}, seeds=1)
    info = curves_info(groups[0], results)
    assert len(info.curves) == (4 if epochs else 0)
    if epochs:
        draw_curves(info)


def test_a_grid_of_many_cells_is_drawn_with_a_short_legend(tmp_path: Path) -> None:
    results, [group] = study(
        tmp_path,
        design="grid",
        seeds=2,
        axes={"reduction": [2, 4, 8, 16, 32], "excitation": ["sigmoid", "relu", "tanh"]},
    )
    [legend] = draw_curves(curves_info(group, results)).legends
    assert [text.get_text() for text in legend.get_texts()] == ["plain", "SE", "14 variants"]


def test_labels_in_a_crowd_do_not_cover_each_other() -> None:
    points = [(100.0 + 4 * i, 80.0 + 5 * (i % 3)) for i in range(10)]
    frame = Box(0, 0, 250, 180)
    markers = [Box(x - 2, y - 2, x + 2, y + 2) for x, y in points]
    boxes = place_labels(points, [(30.0, 7.0)] * 10, markers, frame)
    assert all(a.overlap(b) == 0 for a, b in combinations(boxes, 2))
    assert all(box.overlap(marker) == 0 for box in boxes for marker in markers)
    assert all(box.outside(frame) == 0 for box in boxes)


def test_overlap_by_hand() -> None:
    assert Box(0, 0, 2, 2).overlap(Box(1, 1, 3, 3)) == 1
    assert Box(0, 0, 1, 1).overlap(Box(1, 0, 2, 1)) == 0
    assert Box(0, 0, 2, 2).outside(Box(0, 0, 2, 1)) == 2


def test_equal_numbers_give_equal_bytes_and_leave_matplotlib_as_it_was(tmp_path: Path) -> None:
    results, groups = study(tmp_path, {"epochs": 2}, axes={"reduction": [16, 32]})
    before = dict(mpl.rcParams)
    drawn = [
        render(figure, ("svg", "png", "pdf"))
        for _ in range(2)
        for figure in (
            draw_axis(axis_info(groups[0])),
            draw_cost(cost_info(groups, "parameters")),
            draw_curves(curves_info(groups[0], results)),
        )
    ]
    assert drawn[:3] == drawn[3:]
    assert dict(mpl.rcParams) == before


def test_files_hold_text_in_fonts_that_publishers_take(tmp_path: Path) -> None:
    _, groups = study(tmp_path)
    files = render(draw_axis(axis_info(groups[0])), ("pdf",))
    assert b"/Type3" not in files["pdf"]
    assert b"/Type42" in files["pdf"] or b"/CIDFontType2" in files["pdf"]


def test_plots_are_one_column_wide(tmp_path: Path) -> None:
    _, groups = study(tmp_path)
    assert draw_axis(axis_info(groups[0])).get_figwidth() == COLUMN_INCHES < 3.6
