"""Changes of torchvision's that draw as they go: each image is given a seed of its own for them.

However many numbers one image takes, the others do not see it: images change alike in trials of one seed, and a second
operation leaves the first as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Generator, Tensor

from ablations.running.training.augmentation.share import WHOLE, BatchShare

_SEEDS = 2**62


def seeds_of(images: Tensor, generator: Generator, share: BatchShare = WHOLE) -> Tensor:
    """Draw two seeds for each image: one for RandAugment, one for erasing, whichever of them are wanted.

    Shapes:
        images: (B, ...); returns (2, B) int64.
    """
    return share.of(torch.randint(_SEEDS, (2, share.drawn_for(len(images))), generator=generator), dim=1)


def randaugment(
    images: Tensor, operations: int, magnitude: int, fill: Sequence[float], seeds: Tensor
) -> Tensor:
    """Return the images after random operations: turned, sheared, moved, lighter, sharper and so on.

    Args:
        images: uint8, on the CPU.
        operations: on each image, one after the other.
        magnitude: of every operation, 0..30.
        fill: what comes in from outside, one number 0..255 a channel; empty for zeros.
        seeds: one for each image.

    Shapes:
        images: (B, H, W, C); returns the same.

    Source: Cubuk et al. 2020, arXiv:1909.13719, as torchvision has it.
    """
    from torchvision.transforms import v2  # its import takes a second or two

    outside = [round(value) for value in fill] or None
    return _each(images, v2.RandAugment(operations, magnitude, fill=outside), seeds)


def erase(images: Tensor, probability: float, fill: Sequence[float], seeds: Tensor) -> Tensor:
    """Return the images, each with the probability that a rectangle of 2 to 33 % of it is blanked.

    Args:
        images: uint8, on the CPU.
        probability: from 0 to 1.
        fill: one number 0..255 a channel, rounded; empty for zeros.
        seeds: one for each image.

    Shapes:
        images: (B, H, W, C); returns the same.

    Source: Zhong et al. 2020, arXiv:1708.04896, as torchvision has it, but filled with one colour.
    """
    from torchvision.transforms import v2

    colour = [float(round(value)) for value in fill] or 0.0
    return _each(images, v2.RandomErasing(probability, value=colour), seeds)


def _each(images: Tensor, change: Callable[[Tensor], Tensor], seeds: Tensor) -> Tensor:
    """Change each image while torch's own generator, from which torchvision draws, begins at the image's seed."""
    changed = []
    with torch.random.fork_rng(devices=[]):
        for image, seed in zip(images.permute(0, 3, 1, 2), seeds.tolist(), strict=True):
            torch.default_generator.manual_seed(seed)
            changed.append(change(image))
    return torch.stack(changed).permute(0, 2, 3, 1).contiguous()
