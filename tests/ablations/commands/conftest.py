"""A project with a folder of images; and the tests of this folder can import `fuzzing`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent))

FIELDS: dict[str, Any] = {
    "title": "Images",
    "question": "Does it matter?",
    "baseline": {
        "backbone": "resnet8",
        "variant": {"reduction": 8},
        "data": {"name": "image-folder", "path": "pics", "size": 8},
    },
    "recipe": {"base": "cifar-quick", "epochs": 1, "batch_size": 4, "crop": "none", "pad": 0},
    "axes": {"squeeze": ["avg"]},
    "include_plain": False,
    "allow_identical": True,
    "seeds": 1,
}


@pytest.fixture
def project(ablate: Callable[..., Any], tmp_path: Path) -> Path:
    """A folder with images and own.yaml, the working folder."""
    folder = tmp_path / "proj"
    for part in ("train", "test"):
        for shade, kind in enumerate(("cat", "dog")):
            for number in range(3):
                place = folder / "pics" / part / kind / f"{number}.png"
                place.parent.mkdir(parents=True, exist_ok=True)
                Image.new("RGB", (8, 8), (99 * shade, number, 0)).save(place)
    (folder / "own.yaml").write_text(yaml.safe_dump(FIELDS), encoding="utf-8")
    (tmp_path / "elsewhere").mkdir()
    os.chdir(folder)
    return folder
