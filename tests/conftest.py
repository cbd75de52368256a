"""What all tests share."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import pytest
from hypothesis import HealthCheck, settings

from ablations.cli import group, run_command
from ablations.running.mlflow import store as tracking_store
from senet_core import plugins
from senet_core.blocks.slots import FORMS

# a busy machine is no failure
settings.register_profile("shared machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared machine")
SETTINGS_OF_THE_USER = (
    "MLFLOW_TRACKING_URI",
    "ABLATE_RESULTS_DIR",
    "ABLATE_REPORTS_DIR",
    "ABLATE_DATA_DIR",
    "ABLATE_STORAGE",
    "ABLATE_FUSED",
    "ABLATE_WINOGRAD",
    "RAY_ADDRESS",
    "COLUMNS",
)


@pytest.fixture(autouse=True)
def _nothing_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test may write to the server, the results or the database of whoever runs it."""
    for name in SETTINGS_OF_THE_USER:
        monkeypatch.delenv(name, raising=False)
    for name, value in tracking_store.SETTINGS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(autouse=True)
def _signals_as_in_a_terminal() -> Iterator[None]:
    """Tests that are run by nohup would hand down to every process that they start that SIGHUP is ignored."""
    if not hasattr(signal, "SIGHUP") or signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        yield
        return
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


@pytest.fixture(scope="session")
def mlflow_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An MLflow database without experiments: making one takes seconds, copying it milliseconds."""
    folder = tmp_path_factory.mktemp("mlflow")
    tracking_store.connect(tracking_store.locate(f"sqlite:///{folder}/mlflow.db", folder))
    return folder / "mlflow.db"


@pytest.fixture
def results(tmp_path: Path, mlflow_database: Path) -> Path:
    """A folder for results in which the MLflow store exists already."""
    folder = tmp_path / "results"
    folder.mkdir()
    shutil.copy(mlflow_database, folder / "mlflow.db")
    return folder


@pytest.fixture
def own_registries() -> Iterator[None]:
    """What a test registers or loads is gone after it."""
    with pytest.MonkeyPatch.context() as patch:
        for registry in plugins.registries():
            patch.setattr(registry, "_entries", dict(registry._entries))
        patch.setattr(plugins, "_loaded", {})
        yield
        # our networks register their blocks when they are first built, and once: these must stay
        ours = {name: FORMS[name] for name in FORMS if FORMS[name].source.startswith("senet_core.")}
    FORMS._entries.update(ours)


STUDY = """
title: Small
question: Does it work?
baseline:
  backbone: resnet8
  variant: {reduction: 8}
  data: {name: digits, train_images: 80, test_images: 40}
recipe: {base: cifar-quick, epochs: 1, warmup: 0.5, batch_size: 32, lr: 0.05, pad: 1, precision: fp32}
axes:
  squeeze: [avg, max]
seeds: 2
"""


@dataclass
class Said:
    """What a command printed and how it ended."""

    status: int
    out: str
    err: str


@pytest.fixture
def ablate(
    tmp_path: Path,
    results: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    own_registries: None,
) -> Callable[..., Said]:
    """Call the command line in an empty folder that has a study file, small.yaml."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ABLATE_CALIBRATE", "0")  # what a plan would measure of this machine takes its time
    (tmp_path / "small.yaml").write_text(STUDY, encoding="utf-8")
    # workers import the package by name; the tests may run from a checkout that is not installed
    root = str(Path(__file__).parents[1])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([root, os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setattr(sys, "argv", ["ablate"])

    def call(*words: str, command: click.Command = group, program: str = "ablate") -> Said:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            run_command(command, program, words)
        printed = capsys.readouterr()
        return Said(int(ended.value.code or 0), printed.out, printed.err)

    return call
