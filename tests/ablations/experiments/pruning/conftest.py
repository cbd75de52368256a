"""The tests of this folder can import `small_networks`; its networks are trained once."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from small_networks import Home


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Both networks, trained with two seeds."""
    home = Home(tmp_path_factory.mktemp("trained") / "home")
    home.run("trained")
    return home


@pytest.fixture(scope="session")
def pruned(trained: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The study of two rankings and two ratios, run."""
    home = trained.copied(tmp_path_factory.mktemp("pruned") / "home")
    home.run("pruned")
    return home
