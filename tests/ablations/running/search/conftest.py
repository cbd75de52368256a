"""Lets the tests of this folder import `choosing`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from choosing import CHOSEN, Choosing, Chosen


@pytest.fixture
def choosing(tmp_path: Path) -> Choosing:
    """A results folder of its own."""
    return Choosing(tmp_path)


@pytest.fixture(params=CHOSEN)
def chosen(request: pytest.FixtureRequest) -> Chosen:
    """The studies of networks and of programs by turns."""
    found: Chosen = CHOSEN[request.param]
    return found
