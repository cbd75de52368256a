"""Small trees of images, as a user may have them."""

from __future__ import annotations

import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")

MakeTree = Callable[..., Path]
Pack = Callable[[Path, str], Path]


@pytest.fixture
def make_tree(tmp_path: Path) -> MakeTree:
    """Write PARTS/CLASS/N.SUFFIX, each image of one colour: (label, index, 0 in train and 100 in test)."""

    def make(
        name: str = "tree",
        classes: tuple[str, ...] = CIFAR10,
        parts: tuple[str, ...] = ("train", "test"),
        counts: tuple[int, ...] = (3, 2),
        size: tuple[int, int] = (32, 32),
        suffix: str = ".png",
    ) -> Path:
        root = tmp_path / name
        for part, count in zip(parts, counts, strict=True):
            for label, kind in enumerate(classes):
                folder = root / part / kind
                folder.mkdir(parents=True)
                for index in range(count):
                    colour = (label, index, 100 * (part != "train"))
                    Image.new("RGB", size, colour).save(folder / f"{index:04d}{suffix}")
        return root

    return make


@pytest.fixture
def pack(tmp_path: Path) -> Pack:
    """Pack what is in a folder into an archive; the ending of its name says how."""

    def make(root: Path, name: str) -> Path:
        archive = tmp_path / name
        if name.endswith(".zip"):
            with zipfile.ZipFile(archive, "w") as file:
                for path in sorted(root.rglob("*")):
                    file.write(path, path.relative_to(root))
        else:
            mode = {"tar": "w", "gz": "w:gz", "tgz": "w:gz", "xz": "w:xz"}[name.split(".")[-1]]
            with tarfile.open(archive, mode) as tar:  # type: ignore[call-overload]
                for path in sorted(root.iterdir(), reverse=True):  # the order of an archive means nothing
                    tar.add(path, path.name)
        return archive

    return make


@pytest.fixture
def noise() -> Callable[..., np.ndarray]:
    """Make random images, the same at every call."""
    return lambda *shape: np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
