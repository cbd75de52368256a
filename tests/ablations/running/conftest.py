"""Lets the tests of this folder import `small`, and leaves out what an older torch does not have."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(autouse=True)
def _what_torch_has(request: pytest.FixtureRequest) -> None:
    """A test that trains with Muon has the name in its own."""
    if "muon" in request.node.name and not hasattr(torch.optim, "Muon"):
        pytest.skip("this torch has no Muon, and a trial says so")
