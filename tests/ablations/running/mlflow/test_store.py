"""The MLflow store: finding, making and opening it, and what goes wrong there."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from ablations.running.mlflow import store as tracking_store
from ablations.running.mlflow.summaries import RowSummary
from ablations.running.mlflow.tracker import Tracker
from senet_core.errors import UserError


def writes(tracker: Tracker) -> bool:
    tracker.write_summaries([RowSummary("SE", {"reduction": "16"}, {"mean": 9.0})])
    return tracker.missed == 0


def test_a_deleted_experiment_is_restored(results: Path) -> None:
    tracker = Tracker("study", None, results)
    tracker._runs._client.delete_experiment(tracker._runs.experiment_id)
    again = Tracker("study", None, results)
    assert writes(again)
    assert again._runs.experiment_id == tracker._runs.experiment_id


def test_a_damaged_default_database_is_reported_and_left_as_it_is(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "mlflow.db").write_bytes(b"this is no database" * 100)
    tracker = Tracker("study", None, tmp_path)
    assert tracker.closed
    assert not writes(tracker)
    assert "file is not a database; training and its record go on" in caplog.text
    assert (tmp_path / "mlflow.db").read_bytes().startswith(b"this is no")


def revision(database: Path, new: str | None = None) -> str:
    with closing(sqlite3.connect(database)) as connection:
        if new is not None:
            connection.execute("update alembic_version set version_num = ?", [new])
            connection.commit()
        return str(connection.execute("select version_num from alembic_version").fetchone()[0])


@pytest.mark.parametrize("succeeds", [True, False])
def test_a_default_database_of_another_mlflow_is_migrated_or_reported(
    results: Path, succeeds: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    current = revision(results / "mlflow.db")
    revision(results / "mlflow.db", new="of-another")

    def upgrade(command: list[str], **_: object) -> subprocess.CompletedProcess[bytes]:
        assert command[1:] == ["-m", "mlflow", "db", "upgrade", f"sqlite:///{results}/mlflow.db"]
        if succeeds:
            revision(results / "mlflow.db", new=current)
        return subprocess.CompletedProcess(command, returncode=not succeeds)

    monkeypatch.setattr(tracking_store.subprocess, "run", upgrade)
    assert writes(Tracker("study", None, results)) == succeeds
    assert ("another MLflow made the database" in caplog.text) == (not succeeds)


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        (
            "mlruns",
            r"tracking URI 'mlruns' is no place that MLflow writes to; accepted: sqlite:///PATH.db or",
        ),
        ("file:///tmp/mlruns", r"'file:///tmp/mlruns' is no place that MLflow writes to; accepted: sqlite"),
        ("htp://example", r"'htp://example' is no place that MLflow writes to; accepted: sqlite"),
        ("sqlite://", r"'sqlite://' is no place that MLflow writes to; accepted: sqlite"),
        ("http://", r"tracking URI 'http://' names no host and port; accepted: sqlite"),
        ("http://here:port", r"tracking URI 'http://here:port' names no host and port; accepted: sqlite"),
        ("https://[::1", r"tracking URI 'https://\[::1' names no host and port; accepted: sqlite"),
        ("mysql://me:secret@/x", r"'mysql://\*\*\*@/x' names no host and port; accepted: sqlite"),
        (
            "sqlite:////dev/null/mlflow.db",
            r"cannot use MLflow at sqlite:////dev/null/mlflow.db: .*; accepted: ",
        ),
    ],
)
def test_a_store_that_the_user_named_and_that_is_none_is_an_error_at_once(
    tmp_path: Path, uri: str, message: str
) -> None:
    with pytest.raises(UserError, match=message) as error:
        Tracker("study", uri, tmp_path)
    assert "\n" not in str(error.value)
    assert "secret" not in str(error.value)
    assert list(tmp_path.iterdir()) == []


AWAY = [
    (
        "http://me:secret@127.0.0.1:9",
        "http://***@127.0.0.1:9",
        "no MLflow server answers there: the connection is refused",
    ),
    ("postgresql://me:secret@127.0.0.1:9/x", "postgresql://***@127.0.0.1:9/x", "refused"),
]


@pytest.mark.parametrize(("uri", "shown", "why"), AWAY)
def test_a_server_that_is_away_stops_no_training_and_is_tried_again(
    tmp_path: Path, uri: str, shown: str, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    tracker = Tracker("study", uri, tmp_path)
    assert tracker.closed
    [warning] = caplog.messages
    assert warning.startswith(f"MLflow at {shown}: ")
    assert warning.endswith("training and its record go on")
    assert why in warning
    tracker.wake()
    assert not tracker.closed
    assert not writes(tracker)
    assert tracker.closed  # once is enough
    with pytest.raises(UserError, match=rf"cannot use MLflow at .*: .*{why}.*; accepted: ") as error:
        Tracker("study", uri, tmp_path, must_answer=True)
    assert "secret" not in f"{error.value} {caplog.text}"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_server_that_keeps_silent_is_given_up_soon(tmp_path: Path) -> None:
    """MLflow's own settings would wait for many minutes."""
    started = time.monotonic()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(UserError, match="no MLflow server answers there"):
            Tracker("study", f"http://127.0.0.1:{port}", tmp_path, must_answer=True)
    assert time.monotonic() - started < 60


def test_the_environment_names_a_store_too(
    results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{results}/mlflow.db")
    tracker = Tracker("study", None, elsewhere)
    assert writes(tracker)
    assert not elsewhere.exists()
    assert tracker.uri == f"sqlite:///{results}/mlflow.db"


def test_a_database_is_made_whole_or_not_at_all(
    tmp_path: Path, mlflow_database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(database: Path, artifacts: Path | None) -> None:
        database.write_bytes(b"half")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(tracking_store, "_make_database", interrupted)
        with pytest.raises(KeyboardInterrupt):
            Tracker("study", None, tmp_path)
    assert not (tmp_path / "mlflow.db").exists()
    monkeypatch.setattr(
        tracking_store, "_make_database", lambda database, _: shutil.copy(mlflow_database, database)
    )
    assert writes(Tracker("study", None, tmp_path))


def test_the_page_is_served_for_the_store_of_the_results(results: Path) -> None:
    store = tracking_store.served_store(None, results)
    command = tracking_store.ui_command(5001)
    assert command[:4] == [sys.executable, "-m", "mlflow", "ui"]
    assert (
        tracking_store.ui_environment(store)["MLFLOW_BACKEND_STORE_URI"] == f"sqlite:///{results}/mlflow.db"
    )
    assert command[command.index("--host") + 1 :][:3] == ["127.0.0.1", "--port", "5001"]


def test_what_the_user_has_set_for_the_page_stays(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_LOGGING_LEVEL", "DEBUG")
    environment = tracking_store.ui_environment(tracking_store.served_store(None, results))
    assert environment["MLFLOW_LOGGING_LEVEL"] == "DEBUG"
    assert environment["MLFLOW_DISABLE_TELEMETRY"] == "true"


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("http://127.0.0.1:5000", "is a running server; open it in a browser"),
        (None, "mlflow.db does not exist yet"),
    ],
)
def test_where_there_is_nothing_to_serve_it_says_so(tmp_path: Path, uri: str | None, message: str) -> None:
    with pytest.raises(UserError, match=message):
        tracking_store.served_store(uri, tmp_path)


def test_importing_the_tracker_does_not_import_mlflow() -> None:
    code = "import sys, ablations.running.mlflow.tracker; sys.exit('mlflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env={**os.environ}).returncode == 0
