"""A clone of its own for each test: the committed A/A study with its report, and documents that quote it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tools.quoting.sources import Library

ROOT = Path(__file__).parents[3]


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_registries: None) -> Path:
    """A folder with results/, reports/ and docs/, in which the test stands."""
    for name in ("results/a-a", "reports/a-a"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns(".*"))
    (tmp_path / "docs").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def library(clone: Path) -> Library:
    """What the clone's documents may quote."""
    return Library(clone)
