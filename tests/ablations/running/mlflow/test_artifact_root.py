"""Files of MLflow's are kept beside its database, not where the database says."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ablations.running.mlflow.store import connect, experiment, locate
from senet_core.errors import UserError


@pytest.fixture(autouse=True)
def _no_store_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


def run_with_a_file(results: Path, text: str) -> str:
    store = locate(None, results)
    client = connect(store)
    run = client.create_run(experiment(client, "x", store)).info.run_id
    client.log_text(run, text, "t.txt")
    return str(run)


def files(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("t.txt")}


def test_after_a_move_files_go_to_the_new_place_and_the_old_ones_are_found(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = run_with_a_file(tmp_path / "results", "1")
    (tmp_path / "results").rename(tmp_path / "moved")
    with caplog.at_level(logging.WARNING, "ablations"):
        second = run_with_a_file(tmp_path / "moved", "2")
    assert not (tmp_path / "results").exists()
    assert files(tmp_path / "moved/mlartifacts/x") == {
        f"{first}/artifacts/t.txt": "1",
        f"{second}/artifacts/t.txt": "2",
    }
    client = connect(locate(None, tmp_path / "moved"))
    assert [file.path for file in client.list_artifacts(first)] == ["t.txt"]
    assert "they are looked for and kept in" in caplog.text


@pytest.mark.parametrize(
    "named", ["{home}/.ssh", "file://{home}/.ssh", "s3://bucket/x", "mlflow-artifacts:/1", ""]
)
def test_a_strangers_database_sends_no_file_into_another_folder(tmp_path: Path, named: str) -> None:
    results, home = tmp_path / "results", tmp_path / "home"
    (home / ".ssh").mkdir(parents=True)
    earlier = run_with_a_file(results, "1")
    with closing(sqlite3.connect(results / "mlflow.db")) as database, database:
        database.execute("update experiments set artifact_location = ?", (named.format(home=home),))
        database.execute("update runs set artifact_uri = ?", (f"{named.format(home=home)}/artifacts",))
    run_with_a_file(results, "2")
    connect(locate(None, results)).log_text(earlier, "3", "t.txt")
    assert list((home / ".ssh").iterdir()) == []
    assert sorted(files(results / "mlartifacts/x").values()) == ["2", "3"]


@pytest.mark.parametrize("name", ["", "/x", "/x/RUN", "/x/RUN/artifacts/t.txt"])
def test_a_planted_link_sends_no_file_elsewhere(tmp_path: Path, name: str) -> None:
    results, home = tmp_path / "results", tmp_path / "home"
    home.mkdir()
    (home / "t.txt").write_text("mine")
    earlier = run_with_a_file(results, "1")
    link = results / f"mlartifacts{name}".replace("RUN", earlier)
    link.rename(tmp_path / "aside")
    link.symlink_to(home / "t.txt" if link.suffix else home)
    with pytest.raises(UserError, match=f"{link.name}' is a link to '{home}"):
        run_with_a_file(results, "2")
    assert [path.name for path in home.iterdir()] == ["t.txt"]
    assert (home / "t.txt").read_text() == "mine"
