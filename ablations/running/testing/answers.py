"""The answers of networks: probabilities of the classes for each test image, and what they say of the labels."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ablations.planning.networks.views import Views
from ablations.running.data import Prepared
from ablations.running.machine.cuda.transfer import to_device
from ablations.running.testing.crops import crops_of
from ablations.running.testing.image_sources import ImagesToTest
from ablations.running.training.augmentation.network_input import normalise
from ablations.running.training.evaluation import NotFinite

Probabilities = npt.NDArray[np.float32]
"""(images, classes), each row of sum 1."""

_AT_ONCE = 500
"""Views that a network is shown at once, as in the test that ends a training."""


@dataclass(frozen=True, eq=False)
class JudgedAnswers:
    """Answers beside the labels.

    Attributes:
        right: (images,) bool, whether the first guess was right.
        top1_error: in per cent.
        top5_error: that of the five best guesses; None where there are at most five classes.
        loss: mean cross-entropy.
    """

    right: npt.NDArray[np.bool_]
    top1_error: float
    top5_error: float | None
    loss: float


@torch.no_grad()
def answers(
    network: nn.Module,
    images: ImagesToTest,
    views: Views,
    data: Prepared,
    device: torch.device,
    precision: str,
) -> Probabilities:
    """Return the mean of a network's probabilities over the views of each image.

    Args:
        network: in evaluation mode; it is moved to the device.
        images: that are tested.
        views: what the network sees of each.
        data: that it was trained on, whose means and deviations normalise the images.
        device: where to compute.
        precision: one of `PRECISIONS` of recipes.

    Raises:
        NotFinite: an answer is infinite or not a number.
    """
    network = network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    found: list[Tensor] = []
    waiting: list[Tensor] = []

    def answer() -> None:
        seen = torch.cat(waiting, dim=1)  # (views, images, size, size, channels)
        waiting.clear()
        parts = []
        for batch in torch.split(seen.flatten(0, 1), _AT_ONCE):
            with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16"):
                logits = network(normalise(to_device(batch, device), data.mean, data.std)).float()
            parts.append(logits.softmax(dim=1))
        found.append(torch.cat(parts).view(*seen.shape[:2], -1).mean(dim=0).cpu())

    for block in images.blocks():
        waiting.append(crops_of(block, views, data.image_shape[1], original=images.original))
        if sum(seen.shape[0] * seen.shape[1] for seen in waiting) >= _AT_ONCE:
            answer()
    if waiting:
        answer()
    together = torch.cat(found).numpy()
    if not np.isfinite(together).all():
        raise NotFinite("an answer of the trained network is not a finite number")
    return together


def judge(given: Probabilities, labels: npt.NDArray[np.int64]) -> JudgedAnswers:
    """Return what answers say of the labels.

    Args:
        given: probabilities.
        labels: (images,).
    """
    classes = given.shape[1]
    order = np.argsort(-given, axis=1, kind="stable")[:, : min(5, classes)]
    hit = order == labels[:, None]
    right = hit[:, 0]
    top5 = 100 * int(np.count_nonzero(~hit.any(axis=1))) / len(labels) if classes > 5 else None
    of_label = given[np.arange(len(labels)), labels].astype(np.float64)
    loss = -math.fsum(np.log(np.maximum(of_label, np.finfo(np.float32).tiny))) / len(labels)
    return JudgedAnswers(right, 100 * int(np.count_nonzero(~right)) / len(labels), top5, loss)
