"""Lets the tests of this folder import `choosing`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from choosing import Choosing


@pytest.fixture
def choosing(tmp_path: Path) -> Choosing:
    """A results folder of its own."""
    return Choosing(tmp_path)
