"""`ablate plan` of a folder of images: costs are of its own classes as soon as they are counted."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

PLAN = ("plan", "own.yaml", "--calibrate", "0")
FEATURES = 64  # of resnet8's last stage


def test_costs_are_of_the_prepared_folders_classes(ablate: Callable[..., Any], project: Path) -> None:
    assumed = json.loads(ablate(*PLAN, "--json").out)
    assert "Costs are for 1000 classes" in " ".join(assumed["notes"])
    assert (
        ablate("data", "prepare", "image-folder", "--path", str(project / "pics"), "--size", "8").status == 0
    )
    counted = json.loads(ablate(*PLAN, "--json").out)
    assert "1000 classes" not in " ".join(counted["notes"])
    spared = assumed["rows"][0]["parameters"] - counted["rows"][0]["parameters"]
    assert spared == (1000 - 2) * (FEATURES + 1)
    assert "1000 classes" not in ablate(*PLAN).out
