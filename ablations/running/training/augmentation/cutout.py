"""Cutout: a square at a random place of each image is blanked."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Generator, Tensor

from ablations.running.machine.cuda.transfer import to_device
from ablations.running.training.augmentation.share import WHOLE, BatchShare
from senet_core.errors import UserError


def cutout(
    images: Tensor, side: int, fill: Sequence[float], generator: Generator, share: BatchShare = WHOLE
) -> Tensor:
    """Return the images with a square around a random centre blanked, clipped at the border.

    Args:
        images: uint8, on any device.
        side: of the square, in pixels.
        fill: one number 0..255 a channel, rounded; empty for zeros.
        generator: of the CPU.
        share: of the batch, that the images are.

    Shapes:
        images: (B, H, W, C); returns the same.

    Raises:
        UserError: `fill` has another number of channels.
    """
    batch, height, width, channels = images.shape
    drawn = share.drawn_for(batch)
    centres = [torch.randint(n, (drawn, 1), generator=generator) for n in (height, width)]
    first = [share.of(centre) - side // 2 for centre in centres]
    rows, columns = (_between(start, side, n) for start, n in zip(first, (height, width), strict=True))
    colour = torch.tensor([round(value) for value in fill or (0,) * channels], dtype=torch.uint8)
    if len(colour) != channels:
        raise UserError(f"fill has {len(colour)} numbers; the images have {channels} channels")
    mask = rows[:, :, None] & columns.repeat_interleave(channels, dim=1)[:, None, :]
    # Choosing by bits (old ^ ((old ^ new) & mask)) takes 0.15 ms for 128 images, torch.where 0.96.
    old = images.reshape(batch, height, -1)
    row, mask = (to_device(each, images.device) for each in (colour.repeat(width), mask))
    return (old ^ ((old ^ row) & mask)).view(images.shape)


def _between(start: Tensor, side: int, length: int) -> Tensor:
    """Return 255 where a place lies in the run of `side` places from `start`, else 0; (B, length) uint8."""
    paths = torch.arange(length)
    return ((paths >= start) & (paths < start + side)).to(torch.uint8) * 255
