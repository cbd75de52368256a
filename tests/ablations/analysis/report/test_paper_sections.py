"""The paper's tables that stand whole beside a study."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ablations.analysis.report.paper_sections import beside_paper, sections_of
from ablations.analysis.results.results import Results
from ablations.analysis.tables.cells import Table
from tests.ablations.analysis.synthetic import simulated, study_design, write_record


def texts(table: Table) -> list[list[str]]:
    return [[cell.text() for cell in row.cells] for row in table.rows]


def test_places_and_coco_say_what_se_did() -> None:
    [places] = beside_paper(6).tables
    assert texts(places)[1:] == [
        ["ResNet-152 (ours)", "41.15", "11.61", "–"],
        ["SE-ResNet-152", "40.37", "11.01", "−0.78"],
    ]
    [coco] = beside_paper(7).tables
    assert [row[-1] for row in texts(coco)] == ["–", "+2.4", "–", "+2.0"]
    assert coco.columns[1].head == "AP50, %"


def test_tables_of_larger_crops_are_as_printed() -> None:
    extra = beside_paper(8, 9)
    assert (extra.title, extra.folded) == ("The paper's Tables 8 and 9", True)
    eight, nine = extra.tables
    assert texts(eight)[-1] == ["SENet-154", "18.68", "4.47", "17.28", "3.79"]
    assert texts(eight)[2][1:3] == ["–", "–"]
    assert texts(nine)[3] == ["SENet-154", "no", "320", "16.88", "3.58"]
    assert "One run each" in nine.notes[0]


@pytest.mark.parametrize(
    ("data", "titles"),
    [("cifar10", []), ({"name": "places365", "size": 224}, ["The paper's Table 6"])],
    ids=str,
)
def test_they_stand_beside_studies_of_the_same_data(data: Any, titles: list[str], tmp_path: Path) -> None:
    plan = study_design(baseline={"backbone": "resnet18", "variant": "se", "data": data}, seeds=2)
    results = Results(plan, write_record(tmp_path, []))
    assert [extra.title for extra in sections_of(results)] == titles


def test_a_report_without_them_is_as_before(tmp_path: Path) -> None:
    plan = study_design(seeds=3)
    results = Results(plan, write_record(tmp_path, simulated(plan)))
    assert list(sections_of(results)) == []
