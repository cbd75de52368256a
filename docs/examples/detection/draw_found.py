"""Draw what a detector has found beside what is there: boxes of the truth in white, those that were found in red.

python draw_found.py FOLDER DETECTIONS PICTURE [--split test] [--images 12] [--least 0.5]
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from PIL import Image, ImageDraw

COLUMNS, SCALE = 4, 3


def draw(folder: Path, detections: Path, picture: Path, *, split: str, images: int, least: float) -> None:
    """Draw the first images of a split, side by side."""
    content = json.loads((folder / "annotations" / f"instances_{split}.json").read_text(encoding="utf-8"))
    names = {one["id"]: one["name"] for one in content["categories"]}
    found = [one for one in json.loads(detections.read_text(encoding="utf-8")) if one["score"] >= least]
    shown = content["images"][:images]
    side = SCALE * max(max(one["width"], one["height"]) for one in shown)
    sheet = Image.new("RGB", (COLUMNS * side, -(-len(shown) // COLUMNS) * side))
    for place, image in enumerate(shown):
        opened = Image.open(folder / split / image["file_name"]).convert("RGB")
        large = opened.resize((SCALE * image["width"], SCALE * image["height"]))
        pen = ImageDraw.Draw(large)
        for boxes, colour in ((content["annotations"], "white"), (found, "red")):
            for one in boxes:
                if one["image_id"] == image["id"]:
                    x, y, width, height = (SCALE * part for part in one["bbox"])
                    pen.rectangle((x, y, x + width, y + height), outline=colour, width=2)
                    if "score" in one:
                        pen.text(
                            (x + 3, y + 2), f"{names[one['category_id']]} {one['score']:.2f}", fill=colour
                        )
        sheet.paste(large, (place % COLUMNS * side, place // COLUMNS * side))
    sheet.save(picture)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("detections", type=Path)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--split", default="test")
    parser.add_argument("--images", type=int, default=12)
    parser.add_argument("--least", type=float, default=0.5)
    given = parser.parse_args()
    draw(
        given.folder,
        given.detections,
        given.picture,
        split=given.split,
        images=given.images,
        least=given.least,
    )
