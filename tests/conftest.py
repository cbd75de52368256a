"""What all tests share."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ablations.run import tracking_store


@pytest.fixture(autouse=True)
def _no_tracking_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test may write to the server of whoever runs it."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    for name, value in tracking_store.SETTINGS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="session")
def mlflow_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An MLflow database without experiments: making one takes seconds, copying it milliseconds."""
    folder = tmp_path_factory.mktemp("mlflow")
    tracking_store.connect(tracking_store.locate(f"sqlite:///{folder}/mlflow.db", folder))
    return folder / "mlflow.db"


@pytest.fixture
def results(tmp_path: Path, mlflow_database: Path) -> Path:
    """A folder for results in which the laboratory notebook exists already."""
    folder = tmp_path / "results"
    folder.mkdir()
    shutil.copy(mlflow_database, folder / "mlflow.db")
    return folder
