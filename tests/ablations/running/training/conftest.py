"""What tests of training share: small data, and one thread, with which bits are the same wherever they run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from small import DATA, one_thread

from ablations.running.data import Prepared, open_prepared


@pytest.fixture(scope="module")
def on_one_thread() -> Iterator[None]:
    """Train on one thread, in all of a module that asks for it by its mark."""
    with one_thread():
        yield


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """Digits, opened once for a module."""
    return open_prepared(DATA, tmp_path_factory.mktemp("data"))
