"""The doctor looks at the machine, its packages and its MLflow store."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from doctoring import dead_holder, finished, look, paths_in

from ablations.planning.commands import Places
from ablations.running.doctor import machine
from ablations.running.mlflow.runs import SWEEP, Runs
from ablations.running.mlflow.store import connect, experiment, locate
from ablations.running.mlflow.values import LEVEL
from ablations.running.record.study_paths import StudyPaths
from ablations.running.record.trial_file import TrialFile


@pytest.fixture
def paths(tmp_path: Path) -> StudyPaths:
    return paths_in(tmp_path)


def test_little_room_is_a_warning(paths: StudyPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda path: SimpleNamespace(free=machine.GIB - 1))
    assert all("only 1.0 GiB free" in finding.what for finding in look(paths))
    assert look(paths)


@pytest.mark.parametrize(
    ("asked", "level", "said"),
    [
        ("numpy>=999", "problem", "package numpy is "),
        ("surely-nobody-has-this>=1", "problem", "package surely-nobody-has-this is missing"),
        ('numpy<0.1; extra == "zoo"', "warning", "package numpy is "),
        ('surely-nobody-has-this; extra == "zoo"', None, ""),
        ('numpy>=999; python_version < "3"', None, ""),
    ],
)
def test_packages_out_of_range(
    paths: StudyPaths, monkeypatch: pytest.MonkeyPatch, asked: str, level: str | None, said: str
) -> None:
    monkeypatch.setattr(machine, "requires", lambda project: [asked])
    found = look(paths)
    assert [finding.level for finding in found] == ([level] if level else [])
    assert all(said in finding.what for finding in found)


def test_torch_and_torchvision_that_do_not_fit(paths: StudyPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(*given: object) -> None:
        raise RuntimeError("operator torchvision::nms does not exist")

    monkeypatch.setattr("torchvision.ops.nms", wrong)
    [found] = look(paths)
    assert found.is_open
    assert "do not work together: RuntimeError: operator torchvision::nms does not exist" in found.what


def test_every_installed_plug_in_that_fails_is_named(
    paths: StudyPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    from senet_core import plugins

    def point(name: str, load: Callable[[], object]) -> Any:
        dist = SimpleNamespace(name=f"{name}-package", version="1")
        return SimpleNamespace(name=name, value=f"{name}.module", module=name, dist=dist, load=load)

    points = [point("bad", lambda: 1 / 0), point("worse", lambda: sys.exit(3))]
    for module in (plugins, machine):
        monkeypatch.setattr(module, "entry_points", lambda group: points)
    found = look(paths)
    assert [finding.level for finding in found] == ["problem", "problem"]
    assert "plug-in bad-package (bad.module) fails when loaded: ZeroDivisionError" in found[0].what
    assert found[1].how_to_mend == "mend it, or: pip uninstall worse-package"


def test_runs_that_a_dead_sweep_left_open_are_closed(results: Path) -> None:
    paths = StudyPaths("small", results, results)
    TrialFile(paths.record).append(finished(0), finished(1))
    store = locate(None, results)
    client = connect(store)
    runs = Runs(client, experiment(client, "small", store))
    stale = runs.create("stale", {LEVEL: "trial", SWEEP: dead_holder().to_text()}, {})
    other = runs.create("other machine", {LEVEL: "trial", SWEEP: "what another version wrote"}, {})
    for _ in range(2):
        done = runs.create("done", {LEVEL: "trial", "senet.key": finished(0).key}, {})
        runs.close(done, "FINISHED", {})
    found = look(paths, tracking=True)
    assert [finding.level for finding in found] == ["warning"] * 3
    assert "1 run of 'small' left running by a dead sweep" in found[0].what
    assert ("lacks 1 finished trial of 'small'" in found[1].what, found[1].how_to_mend) == (
        True,
        Places(paths.results_dir).command("sync", "small"),
    )
    assert "several finished runs of 1 trial" in found[2].what
    assert client.get_run(stale).info.status == "RUNNING"
    look(paths, tracking=True, fix=True)
    assert client.get_run(stale).info.status == "KILLED"
    assert client.get_run(other).info.status == "RUNNING"


def test_a_damaged_tracking_database_is_found_and_left_alone(results: Path) -> None:
    database = results / "mlflow.db"
    damaged = database.read_bytes()[:4096] + b"x" * 8192
    database.write_bytes(damaged)
    [found] = look(StudyPaths("small", results, results), tracking=True, fix=True)
    assert found.is_open
    assert "is damaged" in found.what
    assert database.read_bytes() == damaged


def test_a_server_that_does_not_answer(paths: StudyPaths) -> None:
    [found] = look(paths, tracking=True, tracking_uri="http://127.0.0.1:9")
    assert found.is_open
    assert "no MLflow server answers there" in found.what
    [found] = look(paths, tracking=True, tracking_uri="nonsense://x")
    assert "is no place that MLflow writes to" in found.what
