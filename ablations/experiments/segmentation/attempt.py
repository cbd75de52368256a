"""One trial: a segmenter is trained, and scored on the test images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from ablations.errors import DataError
from ablations.experiments.dense.attempt import started, weights_of
from ablations.experiments.dense.coco import CocoSplit
from ablations.experiments.dense.images import Examples, flips, read_image
from ablations.experiments.dense.masks import mask_of
from ablations.experiments.dense.resampling import image_weights, resampled_figures
from ablations.experiments.segmentation.scoring import PixelCounts, counts_of, mean_iou, pixels_right
from ablations.running.trials.stopping import Stopped
from senet_core.complexity import count_parameters

if TYPE_CHECKING:
    from ablations.experiments.dense.kind import DensePlaces
    from ablations.experiments.segmentation.kind import Segmentation
    from ablations.planning.experiment import Context

PASSED = 255
"""The class of pixels that are passed over: those of crowds, and those that fill up an image."""

_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet, as torchvision's detectors have them."""

Example = tuple[Tensor, Tensor]


def trained_and_scored(
    experiment: Segmentation, values: Mapping[str, Any], context: Context, places: DensePlaces
) -> Mapping[str, float]:
    """Train a row's segmenter with a trial's seed, score it, and return what was measured.

    Raises:
        Stopped: as it was asked to, with its state saved.
        ArithmeticError: the training diverged.
        DataError: the data are others than they were, or an image cannot be read.
    """
    begun = started(experiment, values, context, places)
    training = begun.training
    model, recipe, device = training.model, training.recipe, training.device
    side = recipe["image_size"]
    examples = Examples(
        begun.train.images, lambda number: example_of(begun.train, number, side), context.threads
    )

    def loss_of(batch: Sequence[Example], step: int) -> Tensor:
        mirrored = flips(len(batch), step, context) if recipe["flip"] else [False] * len(batch)
        pairs = [
            (image.flip(-1), classes.flip(-1)) if flip else (image, classes)
            for (image, classes), flip in zip(batch, mirrored, strict=True)
        ]
        images = torch.stack([image for image, _ in pairs]).to(device)
        wanted = torch.stack([classes for _, classes in pairs]).to(device).long()
        return F.cross_entropy(model(normalised(images))["out"], wanted, ignore_index=PASSED)

    training.run(examples, loss_of)
    counts = counted(model, begun.test, device, context, side)
    if not counts.truth.sum():
        raise DataError(f"{begun.test.file}: every pixel is passed over, so nothing can be scored")
    if experiment.keeps:
        (context.folder / "weights.safetensors").write_bytes(weights_of(model))
    images = len(begun.test.images)
    return {
        "miou": float(mean_iou(counts, np.ones((1, images)))[0]),
        "pixels_right": pixels_right(counts),
        "parameters": count_parameters(model),
        "test_images": len(begun.test.images),
        "train_loss": training.loss,
        **resampled_figures(mean_iou(counts, image_weights(images, begun.digest))),
    }


def class_map(split: CocoSplit, number: int) -> NDArray[np.uint8]:
    """Return the class of each pixel of an image, (H, W): smaller objects over larger ones, crowds passed over.

    Args:
        split: of the data.
        number: of the image in the split.
    """
    image, labels = split.images[number], split.labels
    found = np.zeros((image.height, image.width), np.uint8)
    ordered = sorted(split.annotations[number], key=lambda one: (not one["iscrowd"], -one["area"], one["id"]))
    for annotation in ordered:
        label = PASSED if annotation["iscrowd"] else labels[annotation["category_id"]]
        found[mask_of(split, number, annotation) > 0] = label
    return found


def example_of(split: CocoSplit, number: int, side: int) -> Example:
    """Return an image, (3, side, side) uint8, and the class of each pixel, (side, side) uint8.

    The image is scaled until its longer side fits, and filled up at the right and below with pixels that are passed
    over.
    """
    image, classes = read_image(split.images[number]), torch.from_numpy(class_map(split, number))
    height, width = scaled(image.shape[-2], image.shape[-1], side)
    shrunk = F.interpolate(classes[None, None].float(), (height, width), mode="nearest-exact")[0, 0].byte()
    rest = (0, side - width, 0, side - height)
    return F.pad(resized(image, height, width), rest), F.pad(shrunk, rest, value=PASSED)


def scaled(height: int, width: int, side: int) -> tuple[int, int]:
    """Return height and width of an image whose longer side becomes `side`."""
    longer = max(height, width)
    return max(1, round(height * side / longer)), max(1, round(width * side / longer))


def resized(image: Tensor, height: int, width: int) -> Tensor:
    """Return an image, (3, H, W) uint8, in another size."""
    if image.shape[-2:] == (height, width):
        return image
    found = F.interpolate(image[None].float(), (height, width), mode="bilinear", antialias=True)[0]
    return found.round().clamp(0, 255).byte()


def normalised(images: Tensor) -> Tensor:
    """Return images, (N, 3, H, W) uint8, with ImageNet's mean and deviation taken out."""
    mean, std = (torch.tensor(three, device=images.device).view(3, 1, 1) for three in (_MEAN, _STD))
    return (images.float() / 255 - mean) / std


@torch.no_grad()
def counted(
    model: nn.Module, split: CocoSplit, device: torch.device, context: Context, side: int
) -> PixelCounts:
    """Return what a segmenter says of the pixels of a split's images, in their own sizes.

    Raises:
        Stopped: as it was asked to; the training is not lost.
    """
    model.eval()
    classes = len(split.categories) + 1
    rows: list[Any] = []
    for number, image in enumerate(split.images):
        if context.should_stop():
            raise Stopped
        height, width = scaled(image.height, image.width, side)
        pixels = F.pad(resized(read_image(image), height, width), (0, side - width, 0, side - height))
        said = model(normalised(pixels[None].to(device)))["out"][:, :, :height, :width]
        whole = F.interpolate(said, (image.height, image.width), mode="bilinear", align_corners=False)
        answer = whole[0].argmax(dim=0).byte().cpu().numpy()
        rows.append(counts_of(class_map(split, number), answer, classes, PASSED))
    return PixelCounts(*(np.stack(one) for one in zip(*rows, strict=True)))
