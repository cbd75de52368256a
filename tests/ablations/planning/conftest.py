"""What the tests of planning share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from ablations.planning.networks.study import NetworkStudy
from ablations.planning.study_file import parse_study


def fields(**changes: Any) -> dict[str, Any]:
    """A small study, as its file says it; a field changed to None is left out."""
    content = {
        "title": "A title",
        "question": "Which is better?",
        "baseline": {"backbone": "resnet8", "variant": {"reduction": 4}, "data": "digits"},
        "recipe": {"base": "cifar-quick", "epochs": 3},
        "axes": {"reduction": [2, 4, 8]},
        "seeds": 2,
        **changes,
    }
    return {name: value for name, value in content.items() if value is not None}


@pytest.fixture
def make_study() -> Callable[..., NetworkStudy]:
    return lambda **changes: parse_study({"name": "small", **fields(**changes)})


@pytest.fixture
def write_study(tmp_path: Path) -> Callable[..., str]:
    """Write a study file; returns its path as it would be typed."""

    def write(name: str = "small.yaml", **changes: Any) -> str:
        file = tmp_path / name
        file.write_text(yaml.safe_dump(fields(**changes), sort_keys=False), encoding="utf-8")
        return str(file)

    return write
