"""The kinds of experiment, each in a folder of its own; the tests of this folder can import `kinds`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from kinds import KINDS, Kind, make


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest, tmp_path: Path) -> Kind:
    """Every kind of experiment by turns."""
    return make(request.param, tmp_path / request.param)


@pytest.fixture(params=["command", "function"])
def other(request: pytest.FixtureRequest, tmp_path: Path) -> Kind:
    """The kinds that are not ours by turns."""
    return make(request.param, tmp_path / request.param)
