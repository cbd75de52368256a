"""A folder with sweeps, for the tests of what they keep."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from small import one_thread
from sweeping import Sweeps

from ablations.running.sweep import dispatch


@pytest.fixture
def sweeps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sweeps]:
    made = Sweeps(tmp_path)
    monkeypatch.setattr(dispatch, "run_task", made.work)
    with one_thread():  # for all: a sweep that is cut short leaves a thread that ends its task later
        yield made
