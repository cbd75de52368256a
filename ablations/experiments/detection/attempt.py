"""One trial: a detector is trained, and scored on the test images."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from ablations.errors import DataError
from ablations.experiments.dense.attempt import started, weights_of
from ablations.experiments.dense.coco import CocoSplit, clipped
from ablations.experiments.dense.images import Examples, flips, read_image
from ablations.experiments.dense.masks import mask_of
from ablations.experiments.dense.resampling import image_weights, resampled_figures
from ablations.experiments.detection.figures import BY_SIZE, MASK_AP
from ablations.experiments.detection.scoring import Found, average_precisions, resampled_precision, scored
from ablations.running.trials.stopping import Stopped
from senet_core.complexity import count_parameters
from senet_core.dense.tasks import DETECTORS

if TYPE_CHECKING:
    from ablations.experiments.dense.kind import DensePlaces
    from ablations.experiments.detection.kind import Detection
    from ablations.planning.experiment import Context

Target = dict[str, Tensor]
Example = tuple[Tensor, Target]


def trained_and_scored(
    experiment: Detection, values: Mapping[str, Any], context: Context, places: DensePlaces
) -> Mapping[str, float]:
    """Train a row's detector with a trial's seed, score it, and return what was measured.

    First weights, order of the images, flips, and what the detector draws are those of the seed, whatever the row.

    Raises:
        Stopped: as it was asked to, with its state saved.
        ArithmeticError: the training diverged.
        DataError: the data are others than they were, or an image cannot be read.
    """
    begun = started(experiment, values, context, places)
    training, masks = begun.training, DETECTORS[values[experiment.slot]].traits["masks"]
    model, recipe, device = training.model, training.recipe, training.device
    examples = Examples(
        begun.train.images, lambda number: example_of(begun.train, number, masks=masks), context.threads
    )

    def loss_of(batch: Sequence[Example], step: int) -> Tensor:
        mirrored = flips(len(batch), step, context) if recipe["flip"] else [False] * len(batch)
        pairs = [flipped(*one) if flip else one for one, flip in zip(batch, mirrored, strict=True)]
        images = [image.to(device).float() / 255 for image, _ in pairs]
        targets = [{name: value.to(device) for name, value in target.items()} for _, target in pairs]
        losses: dict[str, Tensor] = model(images, targets)
        return torch.stack(list(losses.values())).sum()

    training.run(examples, loss_of)
    boxes, outlines = detected(model, begun.test, device, context, masks=masks)
    overall = scored(begun.test, boxes, "bbox")
    figures = average_precisions(overall)
    found = {"ap": figures[0], "ap50": figures[1], "ap75": figures[2]}
    found |= {name: value for name, value in zip(BY_SIZE, figures[3:6], strict=True) if value is not None}
    if masks:
        found[MASK_AP] = average_precisions(scored(begun.test, outlines, "segm"))[0]
    if experiment.keeps:
        (context.folder / "detections.json").write_text(json.dumps(boxes), encoding="utf-8")
        (context.folder / "weights.safetensors").write_bytes(weights_of(model))
    draws = image_weights(len(begun.test.images), begun.digest)
    if found["ap"] is None:
        raise DataError(f"{begun.test.file}: no object to find is in it, so nothing can be scored")
    return {
        **{name: value for name, value in found.items() if value is not None},
        "parameters": count_parameters(model),
        "test_images": len(begun.test.images),
        "train_loss": training.loss,
        **resampled_figures(resampled_precision(overall, draws)),
    }


def example_of(split: CocoSplit, number: int, *, masks: bool) -> Example:
    """Return an image, (3, H, W) uint8, and what a detector is to find in it.

    Crowds, and boxes without area inside of the image, are left out.

    Args:
        split: of the data.
        number: of the image in the split.
        masks: whether outlines are wanted, too.
    """
    image, labels = split.images[number], split.labels
    boxes, numbers, outlines = [], [], []
    for annotation in split.annotations[number]:
        x0, y0, x1, y1 = clipped(annotation["bbox"], image.width, image.height)
        if annotation["iscrowd"] or x1 <= x0 or y1 <= y0:
            continue
        boxes.append((x0, y0, x1, y1))
        numbers.append(labels[annotation["category_id"]])
        if masks:
            outlines.append(torch.from_numpy(mask_of(split, number, annotation)))
    target = {
        "boxes": torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4),
        "labels": torch.tensor(numbers, dtype=torch.int64),
    }
    if masks:
        empty = torch.zeros(0, image.height, image.width, dtype=torch.uint8)
        target["masks"] = torch.stack(outlines) if outlines else empty
    return read_image(image), target


def flipped(image: Tensor, target: Target) -> Example:
    """Return an image and its target, mirrored left to right."""
    width = image.shape[-1]
    boxes = target["boxes"]
    mirrored = torch.stack((width - boxes[:, 2], boxes[:, 1], width - boxes[:, 0], boxes[:, 3]), dim=1)
    changed = {**target, "boxes": mirrored}
    if "masks" in target:
        changed["masks"] = target["masks"].flip(-1)
    return image.flip(-1), changed


@torch.no_grad()
def detected(
    model: nn.Module, split: CocoSplit, device: torch.device, context: Context, *, masks: bool
) -> tuple[list[Found], list[Found]]:
    """Return what a detector finds in the images of a split: boxes, and outlines if it has masks.

    Raises:
        Stopped: as it was asked to; the training is not lost.
    """
    model.eval()
    categories = list(split.categories)
    boxes: list[Found] = []
    outlines: list[Found] = []
    for image in split.images:
        if context.should_stop():
            raise Stopped
        [found] = model([read_image(image).to(device).float() / 255])
        for place, (x0, y0, x1, y1) in enumerate(found["boxes"].tolist()):
            told = {
                "image_id": image.id,
                "category_id": categories[int(found["labels"][place]) - 1],
                "score": float(found["scores"][place]),
            }
            boxes.append({**told, "bbox": [x0, y0, x1 - x0, y1 - y0]})
            if masks:
                outlines.append({**told, "segmentation": _packed(found["masks"][place, 0])})
    return boxes, outlines


def _packed(probability: Tensor) -> Any:
    from pycocotools import mask

    return mask.encode(np.asfortranarray((probability > 0.5).cpu().numpy(), dtype=np.uint8))
