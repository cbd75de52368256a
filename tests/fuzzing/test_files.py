"""Whatever file a stranger hands over, its reader accepts it or refuses it in one line, and soon."""

from __future__ import annotations

import pytest
from harness import find_faults, told

from senet_core.kernels import compiled

KINDS = (
    *(
        "study",
        "set",
        "csv",
        "record",
        "interim-plans",
        "proposals",
        "outcomes",
        "labels",
        "forecast",
        "request",
    ),
    *(
        "progress",
        "lease",
        "checkpoint",
        "weights",
        "kept-weights",
        "safetensors",
        "prepared",
        "tar",
        "tar.gz",
        "zip",
        "cifar",
        "idx",
        "image",
    ),
    *("plugin",),
    *(() if compiled.why_none(compiled.find_compiler) else ("library",)),
)


def test_a_few_files_of_every_kind() -> None:
    faults = find_faults(KINDS, 0, 16)
    assert not faults, told(faults)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_many_files(kind: str) -> None:
    faults = find_faults([kind], 0, 2000)
    assert not faults, told(faults)
