"""An MLflow that lacks a study gets it from the record."""

from __future__ import annotations

import errno
import shlex
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

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


def test_a_sweep_whose_server_is_away_trains_and_reports_and_says_how_to_catch_up(
    ablate: Callable[..., Any], tmp_path: Path
) -> None:
    chosen = ("small.yaml", "--set", "axes={}", "--seeds", "1", "--results-dir", "out")
    said = ablate("run", *chosen, "--workers", "2", "--tracking-uri", "http://127.0.0.1:9")
    assert said.status == 0, said.err
    assert said.out.count(": top-1 error ") == 2
    assert "baseline" in said.out  # the table
    assert (tmp_path / "reports" / "small" / "report.md").exists()
    assert list((tmp_path / "reports" / "small" / "figures").iterdir())
    [line] = [line for line in said.out.splitlines() if line.startswith("MLflow")]
    why, _, command = line.partition("; when that is mended: ")
    assert why == (
        "MLflow      lacks summaries, report or runs (no MLflow server answers there: the connection is refused"
        " (is it running, on that port?))"
    )
    assert shlex.split(command)[1:] == [
        "sync", f"{tmp_path}/small.yaml", "--set", "axes={}", "--seeds", "1", "--results-dir", f"{tmp_path}/out",
        "--reports-dir", f"{tmp_path}/reports", "--tracking-uri", "http://127.0.0.1:9",
    ]  # fmt: skip
    refused = ablate("sync", *chosen, "--tracking-uri", "http://127.0.0.1:9")
    assert (refused.status, len(refused.err.splitlines())) == (2, 1)
    assert "cannot use MLflow at http://127.0.0.1:9: no MLflow server answers there" in refused.err


def test_a_study_without_a_result_has_nothing_to_write(ablate: Callable[..., Any]) -> None:
    said = ablate("sync", "small.yaml")
    assert said.status == 2
    assert "study 'small' has no finished trial in results/small; first: " in said.err


def _levels(database: Path) -> dict[str, int]:
    import sqlite3
    from contextlib import closing

    question = (
        "select t.value, count(*) from runs r join tags t on t.run_uuid = r.run_uuid and t.key = 'senet.level'"
        " where r.lifecycle_stage = 'active' and r.status = 'FINISHED' group by t.value"
    )
    with closing(sqlite3.connect(database)) as connection:
        return dict(connection.execute(question).fetchall())


def test_results_that_may_only_be_read_are_written_all_the_same(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ablations.running.machine import locks
    from ablations.running.mlflow import background_writer
    from ablations.running.mlflow.summaries import RowSummary
    from ablations.running.mlflow.tracker import Tracker
    from ablations.running.record.study_paths import StudyPaths

    class Closed(FileLock):
        def _acquire(self) -> None:
            if Path(self.lock_file).name == ".notebook.lock":  # the database lies elsewhere, and is written
                raise OSError(errno.EROFS, "Read-only file system")
            super()._acquire()

    monkeypatch.setattr(locks, "FileLock", Closed)
    tracker = Tracker("small", None, results)
    summary = RowSummary("SE", {}, {"mean": 1.0})
    background_writer.write_conclusion(tracker, StudyPaths("small", results, results), [summary])
    assert (tracker.missed, len(tracker._runs.on_level("summary"))) == (0, 1)
