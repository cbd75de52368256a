"""Whatever is drawn can be read: no words cover each other, and every axis of values says which way is better."""

from __future__ import annotations

import random
from itertools import combinations
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.text import Annotation, Text
from matplotlib.transforms import Bbox

import ablations as ab
from ablations.analysis.plots.axis import draw_axis, draw_curves
from ablations.analysis.plots.cost import draw_cost
from ablations.analysis.plots.data import (
    AxisInfo,
    Band,
    CostInfo,
    CostPoint,
    Curve,
    CurvesInfo,
    axis_info,
    cost_info,
    costs_alike,
)
from ablations.analysis.plots.interaction import draw_interaction
from ablations.analysis.plots.race import Lane, draw_race
from ablations.analysis.plots.words import folded, text_width
from ablations.analysis.report.write import write_report
from ablations.analysis.results.interactions import InteractionInfo, Line
from ablations.analysis.results.results import Results
from ablations.analysis.stats.interval import Interval
from ablations.experiments.classification.kind import TOP1
from tests.ablations.analysis.synthetic import simulated, study_design, write_record

LONG = "integration=identity, squeeze=max, excitation=tanh, gate=bottleneck, reduction={}, bias=true"
UNITS = [(43.0, 0.6), (0.00012, 0.00003), (1234567.0, 3.0), (-1500.0, 300.0), (3.2e9, 4.0), (0.0, 1e-7)]


def in_view(axis: Axis) -> list[Text]:
    low, high = sorted(axis.get_view_interval())
    return [tick.label1 for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]


def words(figure: Figure) -> dict[str, Bbox]:
    """Every text that is shown, and where, in pixels."""
    figure.draw_without_rendering()
    found: list[Text] = [text for legend in figure.legends for text in legend.get_texts()]
    for axes in figure.axes:
        found += [*in_view(axes.xaxis), *in_view(axes.yaxis), axes.xaxis.label, axes.yaxis.label]
        found += [*axes.texts, axes.title, axes._left_title]  # type: ignore[attr-defined]
    shown = [t for t in found if t.get_visible() and t.get_text().strip()]
    return {
        f"{place} {text.get_text()}": Text.get_window_extent(text)
        if isinstance(text, Annotation)
        else text.get_window_extent()
        for place, text in enumerate(shown)
    }


def covered(figure: Figure) -> list[tuple[str, str]]:
    """The pairs of texts that share more than the edge of a pixel."""
    return [
        (a, b)
        for (a, one), (b, other) in combinations(words(figure).items(), 2)
        if min(one.x1, other.x1) - max(one.x0, other.x0) > 0.5
        and min(one.y1, other.y1) - max(one.y0, other.y0) > 0.5
    ]


def outside(figure: Figure) -> list[str]:
    """The texts that stick out of the picture."""
    width, height = figure.get_size_inches() * figure.dpi
    return [
        text
        for text, box in words(figure).items()
        if box.x0 < -1 or box.y0 < -1 or box.x1 > width + 1 or box.y1 > height + 1
    ]


def named(rows: int, *, long: bool) -> list[str]:
    return [LONG.format(k) if long else f"SE r={k}" for k in range(rows)]


def axis_plot(
    rows: int, level: float, scale: float, *, long: bool, value: str, lower: bool = True
) -> AxisInfo:
    noise = random.Random(rows)
    runs = [
        (name, seed, level + scale * (shift + 0.4 * noise.gauss(0, 1)))
        for name, shift in ((name, noise.gauss(0, 1)) for name in named(rows, long=long))
        for seed in range(6)
    ]
    frame = pd.DataFrame(runs, columns=["variant", "seed", "value"])
    first = named(rows, long=long)[0]
    found = ab.Results.from_frame(frame, baseline=first, margin=scale / 2, value=value, lower_is_better=lower)
    return axis_info(found.families[0])


@pytest.mark.parametrize("long", [False, True])
@pytest.mark.parametrize(("level", "scale"), UNITS)
def test_an_axis_plot_can_be_read_in_any_unit(level: float, scale: float, long: bool) -> None:
    value = "negative log-likelihood of held-out images in nats" if long else "loss"
    figure = draw_axis(axis_plot(4, level, scale, long=long, value=value))
    assert covered(figure) == []
    assert outside(figure) == []
    for axes in figure.axes:
        assert any(label.get_text() for label in in_view(axes.xaxis))


@pytest.mark.parametrize("rows", [9, 18, 30])
@pytest.mark.parametrize("long", [False, True])
def test_an_axis_plot_of_many_rows_can_be_read(rows: int, long: bool) -> None:
    figure = draw_axis(axis_plot(rows, 43, 0.6, long=long, value="top-1 error (%)"))
    assert covered(figure) == []
    assert outside(figure) == []


def test_small_and_large_numbers_have_their_power_of_ten_at_the_axis() -> None:
    [left, right] = draw_axis(axis_plot(4, 0.00012, 0.00003, long=False, value="loss")).axes
    assert left.get_xlabel() == "loss (× 10⁻⁴)\nlower is better"
    assert right.get_xlabel().startswith("difference (× 10⁻⁵)")
    assert not left.xaxis.offsetText.get_visible()
    [left, _] = draw_axis(axis_plot(4, 1234567, 3, long=False, value="seconds")).axes
    assert left.get_xlabel() == "seconds\nlower is better"
    assert all(len(label.get_text()) == 7 for label in in_view(left.xaxis))


@pytest.mark.parametrize(("lower", "said"), [(True, "lower is better"), (False, "higher is better")])
def test_an_axis_says_which_way_is_better(lower: bool, said: str) -> None:
    figure = draw_axis(axis_plot(4, 43, 0.6, long=False, value="accuracy", lower=lower))
    assert [axes.get_xlabel().split("\n")[1] for axes in figure.axes] == [said, said]


def points(rows: int, *, long: bool, alike: bool = False) -> CostInfo:
    noise = random.Random(rows)
    axes = ["reduction", "stages", "integration", "squeeze", "bias"]
    found = []
    for k, name in enumerate(named(rows, long=long)):
        mean = 43 + noise.gauss(0, 0.05 if alike else 1)
        cost = 0.89 if alike or k % 3 == 0 else 0.1 * 1.3**k
        found.append(
            CostPoint(
                name,
                "variant" if k else "baseline",
                axes[k % 5],
                cost,
                Interval(mean, mean - 0.7, mean + 0.7),
            )
        )
    return CostInfo(
        "extra parameters over plain (%)", not alike, tuple(found), Interval(41.2, 40.5, 42), TOP1
    )


@pytest.mark.parametrize("rows", [4, 9, 18, 30])
@pytest.mark.parametrize("long", [False, True])
@pytest.mark.parametrize("alike", [False, True])
def test_a_cost_plot_names_every_point_and_no_name_covers_another(rows: int, long: bool, alike: bool) -> None:
    figure = draw_cost(points(rows, long=long, alike=alike))
    assert covered(figure) == []
    assert outside(figure) == []
    [axes] = figure.axes
    beside = {text.get_text() for text in axes.texts} - {"", "plain"}
    below = [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    if below:
        assert beside <= {str(n) for n in range(1, rows + 1)}
        assert [text.split()[0] for text in below] == [str(n) for n in range(1, rows + 1)]
        assert alike or len(beside) > 0.9 * rows  # a number that would cover another is left out
    else:
        assert beside == set(named(rows, long=long))
    assert axes.get_title(loc="left") == "lower is better"


def test_points_of_one_cost_stay_near_it_and_in_the_order_of_their_costs() -> None:
    far = CostPoint("far", "baseline", "", 46.0, Interval(22.0, None, None))
    near = [
        CostPoint(f"n{k}", "variant", "a", 40.5 + 0.002 * ((7 * k) % 24), Interval(22, None, None))
        for k in range(24)
    ]
    figure = draw_cost(CostInfo("multiply-adds (M)", False, (far, *near), None, TOP1))
    [axes] = figure.axes
    drawn = [line.get_xdata()[0] for line in axes.lines if len(line.get_xdata()) == 1][1:]
    by_cost = [x for _, x in sorted(zip((p.cost for p in near), drawn, strict=True))]
    assert by_cost == sorted(by_cost)
    low, high = axes.get_xlim()
    assert max(abs(x - p.cost) for x, p in zip(drawn, near, strict=True)) < 0.05 * (high - low)


def test_few_points_have_their_names_beside_them_and_crowded_ones_numbers() -> None:
    assert draw_cost(points(4, long=False)).legends == []
    assert len(draw_cost(points(30, long=False, alike=True)).legends) == 1


@pytest.mark.parametrize("rows", [4, 9, 18])
@pytest.mark.parametrize("long", [False, True])
def test_curves_and_races_can_be_read(rows: int, long: bool) -> None:
    band = Band((1.0, 2.0, 3.0), (2e-5, 1.5e-5, 1e-5), (1.9e-5, 1.4e-5, 0.9e-5), (2.1e-5, 1.6e-5, 1.1e-5))
    names = named(rows, long=long)
    curves = tuple(
        Curve(name, "variant" if k else "baseline", band, band, band, band) for k, name in enumerate(names)
    )
    lanes = tuple(Lane(name, False, (2, 3, 4), (0.1, 0.2, 0.3), -0.1, 0.7, "undetermined") for name in names)
    drawn = [draw_curves(CurvesInfo(curves, validated)) for validated in (False, True)]
    for figure in (*drawn, draw_race(lanes, TOP1, first=3, most=10, margin=0.2)):
        assert covered(figure) == []
        assert outside(figure) == []
        assert all(axes.get_title(loc="left") == "lower is better" for axes in figure.axes)


def test_an_interaction_of_long_levels_can_be_read() -> None:
    levels = tuple(f"a level with a long name {k}" for k in range(5))
    lines = tuple(Line(level, tuple(Interval(43 + k, 42 + k, 44 + k) for k in range(5))) for level in levels)
    figure = draw_interaction(InteractionInfo("integration", levels, "squeeze", lines), TOP1)
    assert covered(figure) == []
    assert outside(figure) == []


@pytest.mark.parametrize(
    "text", ["", "SE", "x" * 300, "a b " * 100, "nine words of which the last one tells: 7", "é" * 90]
)
def test_folded_text_is_as_narrow_as_asked_and_keeps_its_ends(text: str) -> None:
    found = folded(text, 6.5, 90, 3)
    assert max(text_width(line, 6.5) for line in found.split("\n")) <= 90
    assert found.count("\n") < 3
    assert found[:1] == text[:1]
    assert found[-1:] == text.strip()[-1:]


def test_a_cost_that_all_rows_share_has_no_plot_and_a_line_says_so(tmp_path: Path) -> None:
    plan = study_design(seeds=3)
    results = Results(plan, write_record(tmp_path, simulated(plan)))
    assert costs_alike(results.families, "multiply_adds")
    assert not costs_alike(results.families, "parameters")
    spread = cost_info(results.families, "multiply_adds").points
    assert max(point.cost for point in spread) < 1  # per cent
    paths = write_report(results, tmp_path / "reports", formats=("md", "html", "latex"))
    assert not [path for path in paths.figures if "cost-multiply-adds" in path.name]
    assert [path for path in paths.figures if "cost-parameters" in path.name]
    for path in (paths.markdown, paths.html, paths.latex):
        assert path is not None
        said = " ".join(path.read_text(encoding="utf-8").split())
        assert "All rows are within 1" in said
        assert "of each other in multiply-adds, so no plot shows the error against them." in said


def test_a_cost_that_differs_has_its_plot(tmp_path: Path) -> None:
    plan = study_design(seeds=3, axes={"squeeze": ["avg", "none"]})
    results = Results(plan, write_record(tmp_path, simulated(plan)))
    assert not costs_alike(results.families, "multiply_adds")
