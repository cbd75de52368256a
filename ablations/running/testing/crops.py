"""The crops of images that a network is shown."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional

from ablations.planning.networks.views import SCALES, Views

BORDER = 8
"""A border of zeros has one part in so many of a crop's side, as for CIFAR, where it has 4 of 32 pixels."""


def crops_of(images: Tensor, views: Views, side: int, *, original: bool) -> Tensor:
    """Return what a network sees of images that have one size.

    Args:
        images: of a test.
        views: which crops.
        side: on which the network was tested in the training, in pixels.
        original: whether these are the images as they were photographed, and not made to `side` already.

    Shapes:
        images: (B, H, W, C) uint8; returns (views, B, size, size, C) uint8.
    """
    seen = torch.stack(list(_crops(images, views, views.size or side, original=original)))
    return torch.cat((seen, seen.flip(3))) if views.mirrored else seen


def _crops(images: Tensor, views: Views, size: int, *, original: bool) -> Iterator[Tensor]:
    if views.crops == 144:
        yield from _of_four_scales(images, size)
        return
    short = views.short or (round(size * 8 / 7) if original else size)
    images = with_short_side(images, short)
    if views.crops == 1:
        yield _centre(images, size)
        return
    if short == size and not original:
        border = size // BORDER
        images = functional.pad(images, (0, 0, border, border, border, border))
    yield from _five(images, size)


def _of_four_scales(images: Tensor, size: int) -> Iterator[Tensor]:
    for sevenths in SCALES:
        scaled = with_short_side(images, round(size * sevenths / 7))
        for square in _squares(scaled):
            yield from _five(square, size)
            yield with_short_side(square, size)


def _squares(images: Tensor) -> Iterator[Tensor]:
    """Yield the squares at both ends and in the middle; of square images the one, which has the same mean."""
    height, width = images.shape[1:3]
    short, spare = min(height, width), abs(height - width)
    for place in sorted({0, spare // 2, spare}):
        yield images[:, :, place : place + short] if width > height else images[:, place : place + short]


def _five(images: Tensor, size: int) -> Iterator[Tensor]:
    bottom, right = images.shape[1] - size, images.shape[2] - size
    for top, left in ((0, 0), (0, right), (bottom, 0), (bottom, right)):
        yield images[:, top : top + size, left : left + size]
    yield _centre(images, size)


def _centre(images: Tensor, size: int) -> Tensor:
    top, left = round((images.shape[1] - size) / 2), round((images.shape[2] - size) / 2)
    return images[:, top : top + size, left : left + size]


def with_short_side(images: Tensor, short: int) -> Tensor:
    """Return images resized (bilinear, antialiased) so that the shorter side has so many pixels.

    Shapes:
        images: (B, H, W, C) uint8; returns the same with other H and W.
    """
    height, width = images.shape[1:3]
    scale = short / min(height, width)
    if scale == 1:
        return images
    size = max(short, int(height * scale)), max(short, int(width * scale))
    pixels = images.permute(0, 3, 1, 2)
    resized = functional.interpolate(pixels.contiguous(), size=size, mode="bilinear", antialias=True)
    return resized.permute(0, 2, 3, 1).contiguous()
