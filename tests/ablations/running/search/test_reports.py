"""What a report says of a choice."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from choosing import Choosing, search_programs, search_study, tuned_programs, tuned_study

from ablations.analysis.plots.optuna import write_optuna_plots
from ablations.analysis.report.content import Content, content_of
from ablations.analysis.report.write import render_markdown, write_report
from ablations.analysis.results.results import Results
from ablations.analysis.results.selection import hypervolume, select, winners_of
from ablations.planning.design import Design
from ablations.running.record.study_record import StudyRecord

OURS = re.compile(r"\bSE\b|squeeze|top-1|excitation|network|images?\b|lowest|recipe", re.IGNORECASE)


def content(design: Design, record: StudyRecord) -> Content:
    return content_of(Results(design, record))


def test_a_tuned_study_says_what_was_chosen_and_what_that_changed(choosing: Choosing) -> None:
    design = tuned_study()
    record = choosing.sweep(design).record

    found = content(design, record)
    text = render_markdown(found)

    tables = {table.key: table for table in found.tables()}
    assert [row.cells[0].text() for row in tables["chosen"].rows] == [row.label for row in design.rows]
    assert all(row.cells[-1].text() == "6 finished" for row in tables["chosen"].rows)
    assert [row.cells[0].text() for row in tables["changed"].rows] == [row.label for row in design.rows]
    assert "### What tuning changed" in text
    assert ("Tuning " in text) == (len(design.seeds) > 2)
    assert "no test image was read" in text
    assert "--only" not in text  # rows of a choice are not trained alone


@pytest.mark.parametrize("design", [tuned_programs(), search_programs(trials=20)])
def test_a_report_of_programs_that_are_chosen_speaks_of_no_network(
    choosing: Choosing, design: Design
) -> None:
    text = render_markdown(content(design, choosing.sweep(design).record))

    assert "no score of theirs was recorded" in text
    assert OURS.findall(text) == []
    assert ("highest held_out" in text) == (design.study.search is not None)
    assert re.search(r"rate 0\.\d{4}", text) is None  # what is drawn is shown in three digits


def test_test_errors_in_the_tables_are_those_of_the_tuned_rows(choosing: Choosing) -> None:
    design = tuned_study()
    record = choosing.sweep(design).record

    results = Results(design, record)

    assert results.fixed is not None
    for tuned, fixed in zip(results.design.rows, results.fixed.design.rows, strict=True):
        now, before = (
            r.values("top1_error", (c,))["value"].mean()
            for r, c in ((results, tuned), (results.fixed, fixed))
        )
        assert tuned.label == fixed.label
        assert now <= before  # the pretended training rewards its best rate


def test_an_unfinished_choice_claims_nothing(choosing: Choosing) -> None:
    design = search_study()

    def die() -> None:
        if len(choosing.asked) == 5:
            raise KeyboardInterrupt

    choosing.handing_out = die
    with pytest.raises(KeyboardInterrupt):
        choosing.sweep(design)
    record = choosing.paths(design).open_record()

    answer = " ".join(content(design, record).answer)

    assert answer.startswith("The search is unfinished: ")
    assert "better" not in answer
    assert select(design, record).planned == ()


def test_a_search_reports_its_front_and_where_the_baseline_stands(choosing: Choosing, tmp_path: Path) -> None:
    design = search_study(objectives=["validation_error", "parameters"], trials=20)
    record = choosing.sweep(design).record

    found = content(design, record)
    front = next(table for table in found.tables() if table.key == "front")
    assert "baseline" in {row.kind for row in front.rows}
    assert any(table.key == "importance" for table in found.tables())
    assert any(plot.key == "front-parameters" for plot in found.plots())
    written = write_report(Results(design, record), tmp_path, formats=("md", "html", "latex"))
    assert written.html is not None
    assert "Pareto front" in written.html.read_text()


def test_reports_of_equal_records_are_equal(choosing: Choosing, tmp_path: Path) -> None:
    design = search_study(objectives=["validation_error", "multiply_adds"])
    record = choosing.sweep(design).record

    one = write_report(Results(design, record), tmp_path / "one", formats=("md", "html"))
    again = choosing.paths(design).open_record()
    two = write_report(Results(design, again), tmp_path / "two", formats=("md", "html"))

    assert one.markdown is not None
    assert two.markdown is not None
    assert one.markdown.read_bytes() == two.markdown.read_bytes()
    assert one.html is not None
    assert two.html is not None
    assert one.html.read_bytes() == two.html.read_bytes()


def test_optuna_draws_its_own_pictures(choosing: Choosing, tmp_path: Path) -> None:
    design = tuned_study()
    record = choosing.sweep(design).record

    written = write_optuna_plots(select(design, record).choices, tmp_path)

    assert {path.name for path in written} >= {"SE-r-8-history.png", "plain-slices.png"}
    assert all(path.stat().st_size > 5000 for path in written)


def test_winners_are_spread_over_the_front(choosing: Choosing) -> None:
    design = search_study(objectives=["validation_error", "parameters"], trials=30)
    record = choosing.sweep(design).record
    choice = select(design, record).choices[0]

    assert len(choice.front) >= 2
    assert winners_of(choice, 2) == (choice.front[0], choice.front[-1])
    assert winners_of(choice, 1) == choice.front[:1]
    assert winners_of(choice, 100) == choice.front


@pytest.mark.parametrize(
    ("points", "area"),
    [
        ([], 0.0),
        ([(1.0, 1.0)], 1.0),
        ([(0.0, 1.0), (1.0, 0.0)], 3.0),
        ([(0.0, 1.0), (1.0, 0.0), (1.0, 1.0), (3.0, 0.0)], 3.0),
    ],
)
def test_the_hypervolume_is_the_area_that_is_dominated(
    points: list[tuple[float, float]], area: float
) -> None:
    assert hypervolume(points, (2.0, 2.0)) == pytest.approx(area)
