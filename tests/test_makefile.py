"""The Makefile installs what a command needs: users of studies get no test libraries."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone in which nothing is installed."""
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def commands(clone: Path, *words: str) -> str:
    """What make would do."""
    told = subprocess.run(["make", "-n", *words], cwd=clone, capture_output=True, text=True, check=True)
    return told.stdout


@needs_make
@pytest.mark.parametrize("target", ["quickstart", "smoke", "study STUDY=x", "report STUDY=x", "ui"])
def test_a_study_installs_the_base_alone(clone: Path, target: str) -> None:
    told = commands(clone, *target.split())
    assert "--editable ." in told
    assert "[dev" not in told


@needs_make
@pytest.mark.parametrize("target", ["setup", "test", "test-slow", "lint", "types", "chaos", "bench"])
def test_checks_add_the_rest(clone: Path, target: str) -> None:
    told = commands(clone, target)
    assert told.index("--editable .\n") < told.index('--editable ".[dev]"')


@needs_make
def test_what_is_installed_is_not_installed_again(clone: Path) -> None:
    (clone / ".venv").mkdir()
    (clone / ".venv/.ready").touch()
    assert "pip" not in commands(clone, "quickstart")
    assert '--editable ".[dev]"' in commands(clone, "test")
    (clone / ".venv/.ready-dev").touch()
    assert "pip" not in commands(clone, "test")
