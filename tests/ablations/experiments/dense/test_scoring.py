"""Scores: pycocotools' own, those of images that count more than once, and mean IoU by hand."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from ablations.experiments.dense.coco import CocoSplit, read_split
from ablations.experiments.dense.resampling import RESAMPLES, image_weights
from ablations.experiments.detection.scoring import average_precisions, resampled_precision, scored
from ablations.experiments.segmentation.scoring import PixelCounts, counts_of, mean_iou, pixels_right

FILE = "annotations/instances_train.json"


@pytest.fixture
def split(shapes: Path) -> CocoSplit:
    return read_split(shapes, "train", FILE)


def guesses(split: CocoSplit, seed: int = 0) -> list[dict[str, Any]]:
    """Detections near the objects, with some of a wrong class and some of nothing."""
    rng = np.random.default_rng(seed)
    found = []
    for image, objects in zip(split.images, split.annotations, strict=True):
        for annotation in objects:
            moved = [float(part) for part in np.asarray(annotation["bbox"]) + rng.normal(0, 1.5, 4)]
            category = annotation["category_id"] if rng.random() < 0.8 else 1
            told = {"image_id": image.id, "category_id": category, "score": float(rng.random())}
            found += [{**told, "bbox": moved}, {**told, "bbox": moved, "score": 0.1}]
        found.append(
            {
                "image_id": image.id,
                "category_id": 2,
                "score": float(rng.random()),
                "bbox": [1.0, 1.0, 9.0, 9.0],
            }
        )
    return found


def test_the_figures_are_pycocotools_called_by_hand(split: CocoSplit, shapes: Path) -> None:
    with redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = json.loads((shapes / FILE).read_text(encoding="utf-8"))
        truth.createIndex()
        evaluation = COCOeval(truth, truth.loadRes(guesses(split)), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    ours = average_precisions(scored(split, guesses(split), "bbox"))
    assert ours == tuple(None if value < 0 else 100 * value for value in evaluation.stats[:6])
    assert ours[0] is not None
    assert 5 < ours[0] < 95  # some are found, and not all


def test_an_image_that_counts_once_leaves_the_score_as_it_is(split: CocoSplit) -> None:
    evaluation = scored(split, guesses(split), "bbox")
    [found] = resampled_precision(evaluation, np.ones((1, len(split.images))))
    assert found == pytest.approx(100 * evaluation.stats[0], abs=1e-9)


def test_an_image_that_counts_thrice_is_there_three_times(split: CocoSplit) -> None:
    weights = np.array([0, 3, 1, 0, 2, 1, 1, 0], np.float64)
    kept, objects, answers = [], [], []
    for number, times in enumerate(weights.astype(int)):
        for copy in range(times):
            again = 1000 * copy + split.images[number].id
            kept.append(replace(split.images[number], id=again))
            objects.append(tuple({**one, "image_id": again} for one in split.annotations[number]))
            own = [one for one in guesses(split) if one["image_id"] == split.images[number].id]
            answers += [{**one, "image_id": again} for one in own]
    counted = [
        tuple({**one, "id": 1 + 100 * n + k} for k, one in enumerate(each)) for n, each in enumerate(objects)
    ]
    repeated = replace(split, images=tuple(kept), annotations=tuple(counted))
    expected = scored(repeated, answers, "bbox").stats[0]
    [found] = resampled_precision(scored(split, guesses(split), "bbox"), weights[None])
    assert found == pytest.approx(
        100 * expected, abs=0.5
    )  # copies tie in score, and pycocotools breaks ties by image


def test_nothing_found_is_no_precision(split: CocoSplit) -> None:
    evaluation = scored(split, [], "bbox")
    assert average_precisions(evaluation)[0] == 0
    assert list(resampled_precision(evaluation, np.ones((2, len(split.images))))) == [0, 0]


def test_resamples_are_the_datas_own() -> None:
    found = image_weights(10, "digest")
    assert found.shape == (RESAMPLES, 10)
    assert (found.sum(axis=1) == 10).all()
    assert np.array_equal(found, image_weights(10, "digest"))
    assert not np.array_equal(found, image_weights(10, "other"))


def test_mean_iou_by_hand() -> None:
    truth = np.array([[0, 0, 1], [1, 2, 255]], np.uint8)
    said = np.array([[0, 1, 1], [1, 0, 2]], np.uint8)
    counts = PixelCounts(*(np.stack([one]) for one in counts_of(truth, said, 3, 255)))
    # background: 1 of {2 there, 2 said}; class 1: 2 of {2, 3}; class 2: 0 of {1, 0}
    assert mean_iou(counts, np.ones((1, 1)))[0] == pytest.approx(100 * (1 / 3 + 2 / 3 + 0) / 3)
    assert pixels_right(counts) == pytest.approx(100 * 3 / 5)


def test_a_class_that_is_nowhere_does_not_count_and_images_are_pooled() -> None:
    one = counts_of(np.array([[0, 1]], np.uint8), np.array([[0, 0]], np.uint8), 4, 255)
    two = counts_of(np.array([[1, 1]], np.uint8), np.array([[1, 1]], np.uint8), 4, 255)
    counts = PixelCounts(*(np.stack(pair) for pair in zip(one, two, strict=True)))
    pooled, first, twice = mean_iou(counts, np.array([[1.0, 1.0], [1.0, 0.0], [2.0, 2.0]]))
    assert pooled == pytest.approx(100 * (1 / 2 + 2 / 3) / 2)
    assert first == pytest.approx(100 * (1 / 2 + 0) / 2)
    assert twice == pooled
