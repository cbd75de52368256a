"""The tests of this folder can import `drawn`; its data are drawn once."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from drawn import DETECTION, SEGMENTATION, DrawnHome, draw


@pytest.fixture(scope="session")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dozen drawn images, eight of them to train on."""
    folder = tmp_path_factory.mktemp("drawn") / "shapes"
    draw(folder, train=8, test=4, side=64, seed=0)
    return folder


@pytest.fixture
def home(shapes: Path, tmp_path: Path) -> DrawnHome:
    """A folder with a study of each kind, and nothing run."""
    found = DrawnHome(tmp_path / "home", shapes)
    found.write("detection", DETECTION)
    found.write("segmentation", SEGMENTATION)
    return found


@pytest.fixture(scope="session", params=["detection", "segmentation"])
def ran(request: pytest.FixtureRequest, shapes: Path, tmp_path_factory: pytest.TempPathFactory) -> DrawnHome:
    """A study that was run; `name` is its own."""
    found = DrawnHome(tmp_path_factory.mktemp("ran") / "home", shapes, request.param)
    found.write("detection", DETECTION)
    found.write("segmentation", SEGMENTATION)
    found.run(found.name)
    return found
