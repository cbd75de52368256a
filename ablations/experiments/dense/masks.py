"""The pixels of an object from its outline in COCO's format: polygons, or runs of pixels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ablations.errors import DataError
from ablations.experiments.dense.coco import CocoSplit


def mask_of(split: CocoSplit, number: int, annotation: Mapping[str, Any]) -> Any:
    """Return the pixels of an object, (H, W) uint8.

    Raises:
        DataError: its outline cannot be understood.
    """
    from pycocotools import mask

    image, outline = split.images[number], annotation["segmentation"]
    try:
        if isinstance(outline, list):
            packed = mask.merge(mask.frPyObjects(outline, image.height, image.width))
        elif isinstance(outline["counts"], list):
            packed = mask.frPyObjects(outline, image.height, image.width)
        else:
            packed = outline
        found = np.ascontiguousarray(mask.decode(packed), dtype=np.uint8)
    except Exception as error:  # the library raises anything
        raise DataError(
            f"{split.file}: the segmentation of annotation {annotation['id']} cannot be understood: {error}"
        ) from error
    if found.shape != (image.height, image.width):
        raise DataError(
            f"{split.file}: the segmentation of annotation {annotation['id']} is of {found.shape[1]}x{found.shape[0]}"
            f" pixels, and its image of {image.width}x{image.height}"
        )
    return found
