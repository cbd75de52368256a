"""Evaluation of a network on test or validation images, and the hash of its weights."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import nn

from ablations.running.data import Prepared
from ablations.running.machine.cuda.transfer import to_device
from ablations.running.record.weights import hash_of_weights
from ablations.running.training.augmentation.network_input import normalise
from ablations.running.training.processes.group import ALONE, Group

TEST_BATCH = 500


class NotFinite(ArithmeticError):
    """An output of the trained network is infinite or not a number."""


@torch.no_grad()
def evaluate(
    model: nn.Module, data: Prepared, device: torch.device, precision: str, group: Group = ALONE
) -> tuple[float, float | None, float, npt.NDArray[np.bool_]]:
    """Return the errors of a network on the test images, and which of them it knows.

    Args:
        model: on the device, in channels_last.
        data: the prepared data set.
        device: where to compute.
        precision: one of `PRECISIONS` of recipes.
        group: the processes that share the images; each returns what all have found.

    Returns:
        Top-1 error and top-5 error (None where there are at most five classes) in per cent, the mean
        cross-entropy, and for each image, in their order, whether the first guess was right: (images,) bool.

    Raises:
        NotFinite: an output is infinite or not a number.
    """
    model.eval()
    own = group.own(len(data.test_labels))
    # all of it stays on the device until the end, which waits for it once; a process may have no images
    losses = [torch.empty(0, device=device)]
    found = [torch.empty(0, min(5, data.num_classes), dtype=torch.bool, device=device)]
    for start in range(own.start, own.stop, TEST_BATCH):
        some = slice(start, min(start + TEST_BATCH, own.stop))
        images = to_device(data.test_images[some], device)
        labels = to_device(data.test_labels[some], device)
        with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16"):
            logits = model(normalise(images, data.mean, data.std)).float()
        losses.append(F.cross_entropy(logits, labels, reduction="sum")[None])
        found.append(logits.topk(min(5, data.num_classes), dim=1).indices == labels[:, None])
    parts = group.gathered((torch.cat(losses).tolist(), torch.cat(found).cpu().numpy()))
    loss = 0.0
    for of_batch in (loss for losses_of_one, _ in parts for loss in losses_of_one):
        loss += of_batch  # `sum` would compensate for rounding, from Python 3.12 on
    if not math.isfinite(loss):
        raise NotFinite("an output of the trained network is not a finite number")
    guesses = np.concatenate([guesses_of_one for _, guesses_of_one in parts])
    known, images_tested = np.ascontiguousarray(guesses[:, 0]), len(data.test_labels)
    wrong1 = int(np.count_nonzero(~known))
    wrong5 = int(np.count_nonzero(~guesses.any(axis=1)))
    top5 = 100 * wrong5 / images_tested if data.num_classes > 5 else None
    return 100 * wrong1 / images_tested, top5, loss / images_tested, known


def hash_weights(model: nn.Module) -> str:
    """Return the SHA-256 of a network's named weights and statistics, as 64 hexadecimal digits."""
    return hash_of_weights(
        # the bytes of the values: NumPy has no bfloat16
        (name, tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
        for name, tensor in model.state_dict().items()
    )
