"""Training batches: the order of the images and their augmentation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from ablations.errors import StudyError
from ablations.planning.networks.recipe import Recipe
from ablations.planning.networks.trial import NetworkTrial
from ablations.running.data import Prepared
from ablations.running.machine.cuda.transfer import ReadAhead, resident, to_device
from ablations.running.training.augmentation.augmentation import Augmentation
from ablations.running.training.augmentation.network_input import normalise, shrink
from ablations.running.training.mixing import Mixing
from ablations.running.training.processes.group import ALONE, Group
from ablations.running.training.watched import trained_rows, watched_images
from senet_core.randomness import stream_seed


def on_device(data: Prepared, trial: NetworkTrial, device: torch.device) -> Prepared:
    """Return the data with labels and images on a CUDA device, once for a whole trial, as far as they fit.

    What torchvision changes image by image (RandAugment, erasing) stays on the CPU, where it is faster. On every other
    device the data are returned as they are: images are read where they are mapped.
    """
    if device.type != "cuda":
        return data
    one_by_one = changes_one_by_one(trial.recipe)
    return replace(
        data,
        train_images=data.train_images if one_by_one else resident(data.train_images, device),
        train_labels=resident(data.train_labels, device),
        test_images=resident(data.test_images, device),
        test_labels=resident(data.test_labels, device),
    )


def changes_one_by_one(recipe: Recipe) -> bool:
    """Return whether a recipe has changes that torchvision makes image by image, which are faster on the CPU."""
    return recipe.randaugment > 0 or recipe.erasing > 0


class Batches:
    """Augmented training batches; order and augmentation come from streams of the trial's seed.

    Images are augmented on a CUDA device, but for what changes them one by one; elsewhere where they are. Those that do
    not fit on the device are read ahead and copied batch by batch. All that is random is drawn on the CPU. Where
    several processes train the trial, each draws for the whole batch, and reads and changes its share of the images.

    Args:
        data: the prepared data set.
        trial: its recipe and seed.
        device: of the batches.
        group: the processes that train the trial.

    Attributes:
        size: images in a batch, those of all processes.
        group: as given.
        per_epoch: batches in an epoch; the last, incomplete batch is left out.
        side: of the data's images, in pixels.
        watched: the data with the images that are watched in the place of the test images; None where none are.

    Raises:
        StudyError: a batch is larger than the data or smaller than the group, or the images of the recipe's start are
            larger than the data's.
    """

    def __init__(
        self, data: Prepared, trial: NetworkTrial, device: torch.device, group: Group = ALONE
    ) -> None:
        recipe = trial.recipe
        self.watched: Prepared | None = None
        self._rows: Tensor | None = None  # those that are trained on, where not all are
        if recipe.watched is not None:
            self._rows, watched = trained_rows(data, recipe)
            self.watched = watched_images(data, watched)
        self._count = count = recipe.trained_on(len(data.train_labels))
        self.size = recipe.batch_size
        if self.size > count:
            raise StudyError(f"batch_size is {self.size:,}, and there are {count:,} training images")
        self.per_epoch = count // self.size
        self.side = data.image_shape[1]
        if (recipe.start_size or 0) > self.side:
            raise StudyError(f"start_size is {recipe.start_size} pixels, and the images have {self.side}")
        self._images, self._labels, self._device = data.train_images, data.train_labels, device
        self._mean, self._std = data.mean, data.std
        cuda, here = device.type == "cuda", data.train_images.device.type == "cpu"
        self._reader = ReadAhead(data.train_images) if cuda and here else None
        self._augments_there = cuda and not changes_one_by_one(recipe)
        self._order, self._drawn, self._own, self._mixed = (
            torch.Generator().manual_seed(stream_seed(trial.seed, stream))
            for stream in ("order", "augmentation", "images", "mixing")
        )
        mixes = recipe.mixup > 0 or recipe.cutmix > 0
        self._mix = Mixing(recipe, data.num_classes, self._mixed) if mixes else None
        self.group, self._share = group, group.share(self.size, with_previous=mixes)
        self._extra = int(mixes and group.size > 1)  # an image is mixed with the one before it
        self._place = 0
        self._order_before = self._order.get_state()
        self._augment = Augmentation(
            crop=recipe.crop,
            pad=recipe.pad,
            flip=recipe.flip,
            cutout=recipe.cutout,
            randaugment=recipe.randaugment,
            magnitude=recipe.magnitude,
            erasing=recipe.erasing,
            size=self.side,
            fill=data.mean,
        )

    def next(self, size: int) -> tuple[Tensor, Tensor]:
        """Return the next batch; epochs follow each other without end.

        Args:
            size: side of the images in pixels, at most `side`. What is drawn does not depend on it.

        Returns:
            Images (B, C, size, size), normalised, in channels_last, and labels (B,), or where the recipe mixes images,
            the share of each class in them, (B, classes); of several processes, B is this one's share of the batch.
        """
        if self._place == 0:
            self._order_before = self._order.get_state()
            self._shuffled = self._shuffle()
        chosen = self._chosen(self._place)
        self._place = (self._place + 1) % self.per_epoch
        following = self._chosen(self._place) if self._place else None  # another epoch has another order
        images = (
            _picked(self._images, chosen) if self._reader is None else self._reader.take(chosen, following)
        )
        if self._augments_there:
            images = to_device(images, self._device)
        changed = self._augment(images, self._drawn, self._own, self._share)
        bytes_there = to_device(shrink(changed, size), self._device)
        images = normalise(bytes_there, self._mean, self._std)
        labels = to_device(_picked(self._labels, chosen), self._device)
        if self._mix is None:
            return images, labels
        mixed, shares = self._mix(images, labels)
        return mixed[self._extra :], shares[self._extra :]

    def state(self) -> dict[str, Any]:
        """Return the place in the order and the states of the random streams, for a checkpoint."""
        return {
            "place": self._place,
            "order": self._order_before,
            "augmentation": self._drawn.get_state(),
            "images": self._own.get_state(),
            "mixing": self._mixed.get_state(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from a `state`."""
        self._order.set_state(state["order"])
        self._order_before = state["order"]
        self._shuffled = self._shuffle()
        self._place = state["place"]
        self._drawn.set_state(state["augmentation"])
        self._own.set_state(state["images"])
        self._mixed.set_state(state["mixing"])

    def _chosen(self, place: int) -> Tensor:
        """Return the places of this process's images of a batch of the epoch."""
        return self._share.of(self._shuffled[place * self.size : (place + 1) * self.size])

    def _shuffle(self) -> Tensor:
        """Return the places of an epoch's images, in their order."""
        shuffled = torch.randperm(self._count, generator=self._order)
        return shuffled if self._rows is None else self._rows[shuffled]


def _picked(values: Tensor, chosen: Tensor) -> Tensor:
    """Return the chosen ones, on the device of the values."""
    return values[to_device(chosen, values.device)]
