"""An MLflow that lacks a study gets it from the record."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "chaos"))


@pytest.mark.slow
def test_an_empty_store_gets_the_whole_study(
    ablate: Callable[..., Any], tmp_path: Path, mlflow_database: Path
) -> None:
    from comparing import check_mlflow

    assert ablate("run", "small.yaml", "--no-tracking", "--seeds", "1").status == 0
    other = tmp_path / "other" / "mlflow.db"
    other.parent.mkdir()
    shutil.copy(mlflow_database, other)
    words = ("sync", "small.yaml", "--seeds", "1", "--tracking-uri", f"sqlite:///{other}")
    said = ablate(*words)
    assert (said.status, said.out) == (0, f"3 runs written to sqlite:///{other}\n")
    assert check_mlflow(other, tmp_path / "results" / "small" / "trials.jsonl") == []
    assert _levels(other) == {"trial": 3, "summary": 3, "report": 1}
    assert ablate(*words).out.startswith("0 runs written")
    assert _levels(other) == {"trial": 3, "summary": 3, "report": 1}


def test_a_study_without_a_result_has_nothing_to_write(ablate: Callable[..., Any]) -> None:
    said = ablate("sync", "small.yaml")
    assert said.status == 2
    assert "study 'small' has no finished trial in results/small; first: ablate run small.yaml" in said.err


def _levels(database: Path) -> dict[str, int]:
    import sqlite3
    from contextlib import closing

    question = (
        "select t.value, count(*) from runs r join tags t on t.run_uuid = r.run_uuid and t.key = 'senet.level'"
        " where r.lifecycle_stage = 'active' and r.status = 'FINISHED' group by t.value"
    )
    with closing(sqlite3.connect(database)) as connection:
        return dict(connection.execute(question).fetchall())
