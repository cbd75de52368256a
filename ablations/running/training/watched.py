"""Training images that are watched and not trained on: for validation curves, and for plateau schedules."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor

from ablations.planning.networks.recipe import Recipe
from ablations.running.data import Prepared
from ablations.running.data.prepared import in_turn
from ablations.running.training.augmentation.crops import centre_crop


def trained_rows(data: Prepared, recipe: Recipe) -> tuple[Tensor, Tensor]:
    """Return the places of the training images that are trained on, rising, and of those that are watched.

    The last images of each class, classes in turn, are watched. Which ones depends on nothing but the data.

    Shapes:
        returns (trained,) and (watched,), int64, on the CPU.
    """
    labels = data.train_labels.cpu()
    count = len(labels) - recipe.trained_on(len(labels))
    from_the_end = len(labels) - 1 - in_turn(labels.flip(0))
    return from_the_end[count:].sort().values, from_the_end[:count]


def watched_images(data: Prepared, rows: Tensor) -> Prepared:
    """Return the data with watched images in the place of the test images, as these are cropped.

    Args:
        data: on their device.
        rows: places of the watched images.
    """
    images = data.train_images[rows.to(data.train_images.device)]
    return replace(
        data,
        test_images=centre_crop(images, data.image_shape[1]).contiguous(),
        test_labels=data.train_labels[rows.to(data.train_labels.device)],
    )
