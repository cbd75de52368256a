"""Plateaus: training images that are watched, not trained on, and cuts of the rate where their loss falls no more."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import Any

from torch import Tensor

from ablations.planning.networks.recipe import Recipe
from ablations.running.data import Prepared
from ablations.running.data.prepared import in_turn
from ablations.running.training.augmentation.crops import centre_crop


@dataclass
class Plateau:
    """What is known of the loss on the watched images.

    Attributes:
        lowest: loss so far.
        waited: epochs since, or since the last cut.
        cuts: of the rate so far.
    """

    lowest: float = math.inf
    waited: int = 0
    cuts: int = 0

    def note(self, loss: float, recipe: Recipe) -> None:
        """Take the loss after an epoch, and count a cut where it is due.

        Args:
            loss: mean over the watched images.
            recipe: its `patience` and `cuts`.
        """
        assert recipe.patience is not None
        assert recipe.cuts is not None
        self.waited = 0 if loss < self.lowest else self.waited + 1
        self.lowest = min(self.lowest, loss)
        if self.waited == recipe.patience and self.cuts < recipe.cuts:
            self.cuts, self.waited = self.cuts + 1, 0

    def state(self) -> dict[str, Any]:
        """Return it for a checkpoint."""
        return asdict(self)


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
