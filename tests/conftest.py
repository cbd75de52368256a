"""What all tests share."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from ablations.run import tracking_store
from senet_core import plugins
from senet_core.slots import FORMS

SETTINGS_OF_THE_USER = (
    "MLFLOW_TRACKING_URI",
    "ABLATE_RESULTS_DIR",
    "ABLATE_REPORTS_DIR",
    "ABLATE_DATA_DIR",
    "ABLATE_STORAGE",
    "ABLATE_FUSED",
    "ABLATE_WINOGRAD",
    "RAY_ADDRESS",
)


@pytest.fixture(autouse=True)
def _nothing_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test may write to the server, the results or the database of whoever runs it."""
    for name in SETTINGS_OF_THE_USER:
        monkeypatch.delenv(name, raising=False)
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
