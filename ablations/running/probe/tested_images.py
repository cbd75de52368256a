"""The gates of a trained network on the test images of a data set."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from ablations.running.data import Prepared
from ablations.running.probe.collecting import CollectedGates, collect_gates
from ablations.running.training.augmentation.network_input import normalise
from senet_core.backbones.catalog import Place

BATCH = 250


def gates_of_test_images(
    network: nn.Module,
    data: Prepared,
    device: torch.device,
    *,
    stages: Mapping[int, Place],
    images_per_class: int | None = None,
) -> CollectedGates:
    """Return a network's gates on the test images, computed in float32.

    Args:
        network: in evaluation mode; it is moved to the device.
        data: that it was trained on.
        device: where to compute.
        stages: of its backbone.
        images_per_class: the first so many test images of each class; all if None. The paper has 50.

    Raises:
        UserError: the network has no gates that can be read.
    """
    labels = data.test_labels.numpy().astype(np.int64)
    chosen = first_of_each_class(labels, images_per_class)
    network = network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    batches = (
        normalise(data.test_images[chosen[start : start + BATCH]].to(device), data.mean, data.std)
        for start in range(0, len(chosen), BATCH)
    )
    return collect_gates(network, batches, labels[chosen], stages=stages)


def first_of_each_class(labels: NDArray[np.int64], most: int | None) -> NDArray[np.int64]:
    """Return the places of the first images of each class, at most so many of one, in their order."""
    if most is None:
        return np.arange(len(labels))
    order = np.argsort(labels, kind="stable")
    ordered = labels[order]
    first = np.searchsorted(ordered, ordered)  # where the class of each begins
    return np.sort(order[np.arange(len(labels)) - first < most])
