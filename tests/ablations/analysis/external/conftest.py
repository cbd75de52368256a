"""Recorded runs of each kind, made once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.ablations.analysis.external import recorded


@pytest.fixture(scope="session")
def mlflow_script(tmp_path_factory: pytest.TempPathFactory, mlflow_database: Path) -> Path:
    """The folder of a script that has logged 15 runs with MLflow."""
    folder = tmp_path_factory.mktemp("script")
    recorded.by_mlflow_script(folder, mlflow_database)
    return folder


@pytest.fixture(scope="session")
def event_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """15 folders of event files, in folders of rates."""
    folder = tmp_path_factory.mktemp("events")
    recorded.by_tensorboard(folder)
    return folder


@pytest.fixture
def mlflow_here(tmp_path: Path, mlflow_script: Path) -> Path:
    """A copy of the script's store in the working folder of `ablate`."""
    shutil.copy(mlflow_script / "mlflow.db", tmp_path)
    return tmp_path / "mlflow.db"
