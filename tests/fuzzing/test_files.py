"""Whatever file a stranger hands over, its reader accepts it or refuses it in one line, and soon."""

from __future__ import annotations

import pytest
from harness import find_faults, told

KINDS = (
    *("study", "set", "csv", "record", "interim-plans", "proposals", "forecast", "request"),
    *("checkpoint", "weights", "safetensors", "prepared", "tar", "tar.gz", "zip", "cifar", "idx", "image"),
    *("plugin",),
)


def test_a_few_files_of_every_kind() -> None:
    faults = find_faults(KINDS, 0, 16)
    assert not faults, told(faults)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_many_files(kind: str) -> None:
    faults = find_faults([kind], 0, 2000)
    assert not faults, told(faults)
