"""Average precision as COCO has it: pycocotools' own, and the same on resampled images.

Source: Lin et al. 2014, arXiv:1405.0312; the definition is pycocotools' `COCOeval`.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ablations.experiments.dense.coco import CocoSplit

Found = dict[str, Any]
"""One detection in the form of COCO's results: image_id, category_id, score, and bbox or segmentation."""


def scored(split: CocoSplit, found: Sequence[Found], kind: str) -> Any:
    """Return pycocotools' evaluation, with its figures in `stats`.

    Args:
        split: the test images with their annotations.
        found: detections.
        kind: "bbox" or "segm".
    """
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    with redirect_stdout(io.StringIO()):  # it tells how long it takes
        truth = COCO()
        truth.dataset = {
            "info": {},
            "images": [{"id": i.id, "width": i.width, "height": i.height} for i in split.images],
            "annotations": [dict(annotation) for one in split.annotations for annotation in one],
            "categories": [{"id": number, "name": name} for number, name in split.categories.items()],
        }
        truth.createIndex()
        answers = truth.loadRes(list(found)) if found else COCO()
        evaluation = COCOeval(truth, answers, kind)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation


def average_precisions(evaluation: Any) -> tuple[float | None, ...]:
    """Return AP, AP50, AP75, and AP of small, medium and large objects, in per cent.

    None where there is no such object.
    """
    return tuple(None if value < 0 else 100 * float(value) for value in evaluation.stats[:6])


@dataclass(frozen=True)
class _Matches:
    """The detections of one category in all images, the surest first.

    Attributes:
        image: (D,) the image's number.
        right: (T, D) whether a detection has matched an object, at each overlap.
        wrong: (T, D) whether it has not; what is ignored is neither.
        objects: (I,) objects to find in each image.
    """

    image: NDArray[np.int64]
    right: NDArray[np.bool_]
    wrong: NDArray[np.bool_]
    objects: NDArray[np.float64]


def resampled_precision(evaluation: Any, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return AP in per cent where each image counts as often as it was drawn.

    Args:
        evaluation: of `scored`.
        weights: (draws, images), in the order of the split's images.

    Returns:
        (draws,). With weights of one it is pycocotools' AP.
    """
    total = np.zeros(len(weights))
    present = np.zeros(len(weights))
    for matches in _by_category(evaluation, images=weights.shape[1]):
        objects = weights @ matches.objects
        drawn = objects > 0
        each = weights[:, matches.image]
        for right, wrong in zip(matches.right, matches.wrong, strict=True):
            hits, misses = np.cumsum(each * right, axis=1), np.cumsum(each * wrong, axis=1)
            for draw in np.flatnonzero(drawn):
                total[draw] += _area(hits[draw], misses[draw], objects[draw], evaluation.params.recThrs)
        present += drawn * len(matches.right)
    with np.errstate(invalid="ignore"):
        return np.where(present > 0, 100 * total / np.maximum(present, 1), 0.0)


def _area(hits: Any, misses: Any, objects: float, recalls: NDArray[np.float64]) -> float:
    """Return the mean over recalls of the best precision that is reached at that recall or beyond."""
    if not len(hits):
        return 0.0
    precision = hits / (hits + misses + np.spacing(1))
    best = np.maximum.accumulate(precision[::-1])[::-1]
    places = np.searchsorted(hits / objects, recalls, side="left")
    return float(np.where(places < len(best), best[np.minimum(places, len(best) - 1)], 0.0).mean())


def _by_category(evaluation: Any, *, images: int) -> Iterator[_Matches]:
    """Yield what pycocotools has matched, category by category, over objects of every size."""
    sizes, place = (
        len(evaluation.params.areaRng),
        {image: n for n, image in enumerate(_image_order(evaluation))},
    )
    overlaps = len(evaluation.params.iouThrs)
    for number, _ in enumerate(evaluation.params.catIds):
        first = number * sizes * images
        found = [one for one in evaluation.evalImgs[first : first + images] if one is not None]
        objects = np.zeros(images)
        for one in found:
            objects[place[one["image_id"]]] = np.count_nonzero(np.asarray(one["gtIgnore"]) == 0)
        image = np.concatenate([[place[one["image_id"]]] * len(one["dtScores"]) for one in found] or [[]])
        scores = np.concatenate([one["dtScores"] for one in found] or [[]])
        matched = np.concatenate([one["dtMatches"] for one in found] or [np.empty((overlaps, 0))], axis=1) > 0
        ignored = np.concatenate([one["dtIgnore"] for one in found] or [np.empty((overlaps, 0))], axis=1) > 0
        order = np.argsort(-scores, kind="mergesort")
        yield _Matches(
            image.astype(np.int64)[order],
            (matched & ~ignored)[:, order],
            (~matched & ~ignored)[:, order],
            objects,
        )


def _image_order(evaluation: Any) -> list[int]:
    """Return the images' ids in the order of the split, which pycocotools keeps as they were given."""
    return [image["id"] for image in evaluation.cocoGt.dataset["images"]]
