"""Draw a small data set in COCO's format: discs, squares and triangles on textured grounds, from a seed.

python draw_shapes.py FOLDER [--train 700] [--test 300] [--side 64] [--seed 0]
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

NAMES = ("disc", "square", "triangle")


def ground(side: int, rng: np.random.Generator) -> np.ndarray:
    """A ground of two colours in waves, with grain."""
    rows, columns = np.mgrid[0:side, 0:side] / side
    angle, waves, phase = rng.uniform(0, math.pi), rng.uniform(2, 12), rng.uniform(0, 2 * math.pi)
    wave = np.sin(2 * math.pi * waves * (columns * math.cos(angle) + rows * math.sin(angle)) + phase)
    one, other = rng.integers(40, 216, size=(2, 3))
    mixed = one + (other - one) * (0.5 + 0.5 * wave)[..., None]
    return np.clip(mixed + rng.normal(0, 18, size=(side, side, 3)), 0, 255).astype(np.uint8)


def outline(name: str, x: float, y: float, radius: float, turn: float) -> list[tuple[float, float]]:
    """The corners of a shape around a point."""
    corners = {"disc": 24, "square": 4, "triangle": 3}[name]
    angles = [turn + 2 * math.pi * corner / corners for corner in range(corners)]
    return [(x + radius * math.cos(angle), y + radius * math.sin(angle)) for angle in angles]


def area(corners: list[tuple[float, float]]) -> float:
    """The area inside of a polygon, in pixels."""
    pairs = zip(corners, corners[1:] + corners[:1], strict=True)
    return abs(sum(a[0] * b[1] - a[1] * b[0] for a, b in pairs)) / 2


def draw_split(folder: Path, split: str, images: int, side: int, rng: np.random.Generator) -> None:
    """Draw the images of a split, and write their annotations."""
    (folder / split).mkdir(parents=True, exist_ok=True)
    (folder / "annotations").mkdir(exist_ok=True)
    content: dict[str, list[dict[str, object]]] = {"images": [], "annotations": []}
    for number in range(1, images + 1):
        picture = Image.fromarray(ground(side, rng))
        pen, taken = ImageDraw.Draw(picture), []
        for _ in range(int(rng.integers(0, 5))):  # every fifth image has no shape
            radius = float(rng.uniform(0.12, 0.28) * side)
            x, y = (float(place) for place in rng.uniform(radius, side - radius, size=2))
            if any(math.hypot(x - a, y - b) < radius + r for a, b, r in taken):
                continue
            taken.append((x, y, radius))
            kind = int(rng.integers(len(NAMES)))
            corners = outline(NAMES[kind], x, y, radius, float(rng.uniform(0, 2 * math.pi)))
            pen.polygon(corners, fill=tuple(int(part) for part in rng.integers(0, 256, size=3)))
            across, down = ([corner[axis] for corner in corners] for axis in (0, 1))
            box = [min(across), min(down), max(across) - min(across), max(down) - min(down)]
            content["annotations"].append(
                {
                    "id": len(content["annotations"]) + 1,
                    "image_id": number,
                    "category_id": kind + 1,
                    "bbox": [round(part, 2) for part in box],
                    "area": round(area(corners), 2),
                    "iscrowd": 0,
                    "segmentation": [[round(part, 2) for corner in corners for part in corner]],
                }
            )
        name = f"{number:06d}.png"
        picture.save(folder / split / name)
        content["images"].append({"id": number, "file_name": name, "width": side, "height": side})
    content["categories"] = [{"id": number, "name": name} for number, name in enumerate(NAMES, 1)]
    (folder / "annotations" / f"instances_{split}.json").write_text(json.dumps(content), encoding="utf-8")


def draw(folder: Path, *, train: int = 700, test: int = 300, side: int = 64, seed: int = 0) -> None:
    """Draw both splits."""
    rng = np.random.default_rng(seed)
    draw_split(folder, "train", train, side, rng)
    draw_split(folder, "test", test, side, rng)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    for option, usual in (("train", 700), ("test", 300), ("side", 64), ("seed", 0)):
        parser.add_argument(f"--{option}", type=int, default=usual)
    given = parser.parse_args()
    draw(given.folder, train=given.train, test=given.test, side=given.side, seed=given.seed)
