"""The paper's column stands beside what the paper measured, and can be turned off."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ablations.analysis.results.results import Results
from ablations.analysis.tables.axis import axis_table
from ablations.analysis.tables.cells import Printed
from tests.ablations.analysis.synthetic import line, study_design, write_record

OWN = {"name": "image-folder", "path": "/images", "size": 32}


def columns(folder: Path, data: object = "cifar10", **changes: Any) -> set[str]:
    plan = study_design(baseline={"backbone": "resnet20", "variant": "se", "data": data}, **changes)
    lines = [line(plan, row, seed, 8.0 + seed) for row in plan.rows for seed in plan.seeds[:3]]
    results = Results(plan, write_record(folder, lines))
    return {column.key for family in results.families for column in axis_table(family, plan.study).columns}


@pytest.mark.parametrize(
    ("data", "tables", "shown"),
    [
        ("cifar10", None, True), ("cifar10", ["table_10"], True), ("cifar10", [], False),
        (OWN, None, False), (OWN, ["table_10"], False),
    ],
    ids=str,
)  # fmt: skip
def test_is_there_where_it_means_something(
    tmp_path: Path, data: object, tables: list[str] | None, shown: bool
) -> None:
    assert ("paper" in columns(tmp_path, data, paper_tables=tables)) == shown


def test_a_study_at_another_reduction_ratio_has_the_papers_differences_of_the_same_choices(
    tmp_path: Path,
) -> None:
    plan = study_design(
        baseline={"backbone": "resnet20", "variant": {"reduction": 4}, "data": "cifar10"},
        axes={"reduction": [4, 32], "squeeze": ["max", "avg"], "integration": ["post", "standard"]},
    )
    lines = [line(plan, row, seed, 8.0 + seed) for row in plan.rows for seed in plan.seeds[:3]]
    results = Results(plan, write_record(tmp_path, lines))
    tables = {family.axis: axis_table(family, plan.study) for family in results.families}
    shown = {
        row.cells[0].text(): next(cell.text() for cell in row.cells if isinstance(cell, Printed))
        for table in tables.values()
        for row in table.rows
        if row.cells[0].text() != "plain"
    }
    assert shown["SE r=32"] == "22.72 / 6.20 (+0.47)"  # Table 10 has r = 4 itself, 22.25
    assert shown["SE max r=4"] == "22.57 / 6.09 (+0.29)"  # Table 11, with r = 16
    assert shown["SE-POST r=4"] == "22.78 / 6.35 (+0.50)"  # Table 14, likewise
    assert "Paper: Table 10, one run each." in tables["reduction"].notes
    assert any(note.endswith(", one run each, at r = 16.") for note in tables["squeeze"].notes)
