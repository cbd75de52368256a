"""What only some studies have in their report: interactions, several backbones, all pairs of an axis."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ablations.analysis.plots.interaction import draw_interaction
from ablations.analysis.report.content import Content, content_of
from ablations.analysis.report.network_sections import TITLE
from ablations.analysis.report.parts import Extra
from ablations.analysis.report.write import write_report
from ablations.analysis.results.interactions import combinations_of, factor_frame
from ablations.analysis.results.results import Results
from ablations.experiments.classification.kind import TOP1
from senet_core.errors import UserError
from tests.ablations.analysis.synthetic import simulated, study_design, write_record

GRID: dict[str, Any] = {
    "design": "grid", "axes": {"squeeze": ["avg", "max"], "excitation": ["sigmoid", "relu"]}, "seeds": 6,
}  # fmt: skip
EFFECTS = {"SE max relu": 1.0}


def measured(folder: Path, effects: dict[str, float] | None = None, **changes: Any) -> Results:
    plan = study_design(**changes)
    return Results(plan, write_record(folder / "results", simulated(plan, effects, sd=0.1)))


def titles(results: Results, **options: Any) -> list[str]:
    return [extra.title for extra in own(content_of(results, **options))]


def own(content: Content) -> list[Extra]:
    """The extra sections that not every finished study has."""
    return [extra for extra in content.extras if extra.title not in ("Verdicts at other margins", TITLE)]


def test_a_grid_shows_its_interactions(tmp_path: Path) -> None:
    results = measured(tmp_path, EFFECTS, **GRID)
    content = content_of(results)
    [extra] = own(content)
    assert [table.key for table in extra.tables] == ["main-effects", "interactions", "f-tests"]
    [row] = extra.tables[1].rows
    assert row.cells[1].text() == "max × relu"
    assert row.cells[-1].text() == "present"
    assert "Choices depend on each other: 1 of 1 interactions are shown" in content.answer[-1]
    [plot] = extra.plots
    assert plot.key == "interaction-squeeze-excitation"


def test_without_an_interaction_the_choices_can_be_made_one_by_one(tmp_path: Path) -> None:
    results = measured(tmp_path, **{**GRID, "seeds": 20})
    content = content_of(results)
    assert "lies within ±0.2 points: the choices can be made one by one." in content.answer[-1]


def test_an_interaction_plot_holds_the_means_of_both_axes(tmp_path: Path) -> None:
    results = measured(tmp_path, EFFECTS, **GRID)
    found = combinations_of(results)
    assert found is not None
    [info] = found.plots
    frame = factor_frame(results)
    means = frame.groupby(["squeeze", "excitation"])["value"].mean()
    for line in info.lines:
        for level, point in zip(info.levels, line.points, strict=True):
            assert point is not None
            assert point.mean == pytest.approx(means[level, line.level])
            assert point.lo is not None
            assert point.lo < point.mean
    draw_interaction(info, TOP1)


def test_the_plain_network_and_a_baseline_off_the_axes_are_no_combinations(tmp_path: Path) -> None:
    frame = factor_frame(
        measured(tmp_path, **{**GRID, "axes": {"reduction": [4, 8], "squeeze": ["avg", "max"]}})
    )
    assert set(frame["row"]) == {"SE r=4", "SE r=8", "SE max r=4", "SE max r=8"}


@pytest.mark.parametrize("seeds", [1, 2, 3])
def test_a_grid_of_few_seeds_or_missing_cells_has_a_report(tmp_path: Path, seeds: int) -> None:
    plan = study_design(**{**GRID, "seeds": seeds})
    gone = [("SE max relu", seed) for seed in range(seeds)]
    record = write_record(tmp_path / "results", simulated(plan, skip=gone))
    written = write_report(Results(plan, record), tmp_path, formats=("md", "html", "latex"))
    assert all(
        path is not None and path.stat().st_size for path in (written.markdown, written.html, written.latex)
    )


def test_a_fraction_is_reported_with_what_it_cannot_show(tmp_path: Path) -> None:
    axes = {
        "squeeze": ["avg", "max", "none"],
        "excitation": ["sigmoid", "relu", "tanh"],
        "reduction": [16, 4, 8],
    }
    results = measured(tmp_path, design="pairwise", axes=axes)
    [extra] = own(content_of(results))
    said = " ".join(note for table in extra.tables for note in table.notes)
    assert "The combinations trained cannot show: squeeze × excitation" in said
    assert extra.plots == ()


def test_crossed_backbones_are_aggregated(tmp_path: Path) -> None:
    axes = {"squeeze": ["avg", "max"], "backbone": ["resnet20", "resnet32"]}
    results = measured(tmp_path, **{**GRID, "axes": axes})
    content = content_of(results)
    together = own(content)[-1]
    assert together.title == "Over all backbones"
    assert together.tables[0].key == "over-tasks"
    table = together.tables[1]
    assert [row.cells[0].text() for row in table.rows] == ["squeeze avg", "squeeze max"]
    assert titles(measured(tmp_path, axes={"backbone": ["resnet20", "resnet32"]})) == []


def test_all_pairs_of_an_axis_on_request(tmp_path: Path) -> None:
    results = measured(tmp_path)
    assert titles(results) == []
    assert titles(results, pairs=("reduction",)) == ["All pairs of reduction"]
    [extra] = own(content_of(results, pairs=("reduction",)))
    assert [(r.cells[0].text(), r.cells[1].text()) for r in extra.tables[0].rows] == [
        ("SE", "SE r=4"), ("SE r=32", "SE r=4"), ("SE r=32", "SE"),
    ]  # fmt: skip
    with pytest.raises(UserError, match="unknown axis of this study 'reductoin'; did you mean 'reduction'"):
        titles(results, pairs=("reductoin",))
    with pytest.raises(
        UserError, match="all pairs of an axis need design one-factor or race; this study's is grid"
    ):
        titles(measured(tmp_path / "grid", **GRID), pairs=("squeeze",))
