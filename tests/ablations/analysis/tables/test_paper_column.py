"""The paper's column stands beside what the paper measured, and can be turned off."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ablations.analysis.results.results import Results
from ablations.analysis.tables.axis import axis_table
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
