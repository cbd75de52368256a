"""Random and central crops, and flips, of whole uint8 batches.

Every operation draws its random numbers for the whole batch at once, from the generator it is given. How many depends
on batch size and settings alone, so trials of one seed see the same images whichever network they train. Where only a
share of a batch is here, numbers are drawn for the others, too. The images may be on any device; the generator is the
CPU's, where places are computed, too, to be copied to the images.
"""

from __future__ import annotations

from math import log

import torch
from torch import Generator, Tensor
from torch.nn import functional

from ablations.running.machine.cuda.transfer import to_device
from ablations.running.training.augmentation.share import WHOLE, BatchShare
from senet_core.errors import UserError

_AREA = (0.08, 1.0)  # share of the image that a resized crop covers
_RATIO = (3 / 4, 4 / 3)  # width by height
_TRIES = 10  # crops proposed for an image before the fallback, as in torchvision


def pad_crop(images: Tensor, pad: int, size: int, generator: Generator, share: BatchShare = WHOLE) -> Tensor:
    """Return a square from a random place of each image, padded with zeros.

    Shapes:
        images: (B, H, W, C) uint8; returns (B, size, size, C).

    Raises:
        UserError: the padded image is smaller than the square.
    """
    batch, height, width, channels = images.shape
    tall, wide = height + 2 * pad, width + 2 * pad
    _check_room(tall, wide, size)
    padded = images.new_zeros(batch, tall, wide, channels)
    padded[:, pad : pad + height, pad : pad + width] = images
    drawn = share.drawn_for(batch)
    top = share.of(torch.randint(tall - size + 1, (drawn,), generator=generator))
    left = share.of(torch.randint(wide - size + 1, (drawn,), generator=generator))
    # A row of a crop is a run of bytes, so all crops are one gather of runs that start at any pixel: 0.10 ms
    # for 128 images of 32 x 32, where a gather of windows takes 0.74 and one of pixels 1.21.
    runs = padded.view(-1).as_strided((batch * tall * wide - size + 1, size * channels), (channels, 1))
    rows = (torch.arange(batch) * tall + top)[:, None] + torch.arange(size)
    starts = rows * wide + left[:, None]
    starts = to_device(starts.view(-1), images.device)
    return runs.index_select(0, starts).view(batch, size, size, channels)


def centre_crop(images: Tensor, size: int) -> Tensor:
    """Return the central square of each image.

    Shapes:
        images: (B, H, W, C); returns a view (B, size, size, C).

    Raises:
        UserError: the image is smaller than the square.
    """
    height, width = images.shape[1:3]
    _check_room(height, width, size)
    top, left = (height - size) // 2, (width - size) // 2
    return images[:, top : top + size, left : left + size]


def _check_room(height: int, width: int, size: int) -> None:
    if min(height, width) < size:
        raise UserError(f"images of {height}x{width} pixels are too small for a crop of {size}x{size}")


def resized_crop(images: Tensor, size: int, generator: Generator, share: BatchShare = WHOLE) -> Tensor:
    """Return a box of random area (8 to 100 %) and aspect ratio (3:4 to 4:3), scaled to a square (bilinear).

    Shapes:
        images: (B, H, W, C) uint8; returns (B, size, size, C).
    """
    height, width = images.shape[1:3]
    boxes = random_boxes(share.drawn_for(len(images)), height, width, generator)
    top, left, tall, wide = map(share.of, boxes)
    places = _sample_places(top, tall, size, height), _sample_places(left, wide, size, width)
    y, x = (to_device(each, images.device) for each in places)
    grid = torch.stack((x[:, None, :].expand(-1, size, -1), y[:, :, None].expand(-1, -1, size)), dim=-1)
    pixels = images.permute(0, 3, 1, 2).float()
    scaled = functional.grid_sample(pixels, grid, mode="bilinear", padding_mode="border", align_corners=False)
    return scaled.round_().clamp_(0, 255).to(torch.uint8).permute(0, 2, 3, 1).contiguous()


def _sample_places(start: Tensor, length: Tensor, size: int, whole: int) -> Tensor:
    """Return where pixels sample one axis, (B, size), in grid_sample's -1..1; never outside the box."""
    start, length = start[:, None], length[:, None]
    pixel = start + (torch.arange(size) + 0.5) * (length / size) - 0.5
    pixel = torch.minimum(torch.maximum(pixel, start), start + length - 1)
    return (2 * pixel + 1) / whole - 1


def random_boxes(batch: int, height: int, width: int, generator: Generator) -> tuple[Tensor, ...]:
    """Return random boxes inside an image as torchvision's RandomResizedCrop draws them, with a fixed number of draws.

    Each image gets ten proposals at once and takes the first that fits; if none does, the largest central box
    with an allowed aspect ratio.

    Returns:
        top, left, height and width in pixels, whole numbers as float32, each (B,).
    """
    area = (
        height * width * (_AREA[0] + (_AREA[1] - _AREA[0]) * torch.rand(batch, _TRIES, generator=generator))
    )
    lowest, highest = log(_RATIO[0]), log(_RATIO[1])
    ratio = (lowest + (highest - lowest) * torch.rand(batch, _TRIES, generator=generator)).exp()
    place = torch.rand(2, batch, generator=generator)
    wide, tall = (area * ratio).sqrt().round(), (area / ratio).sqrt().round()
    fits = (wide >= 1) & (wide <= width) & (tall >= 1) & (tall <= height)
    first = fits.float().argmax(dim=1, keepdim=True)
    none = ~fits.any(dim=1)
    tall = torch.where(none, float(min(height, round(width / _RATIO[0]))), tall.gather(1, first)[:, 0])
    wide = torch.where(none, float(min(width, round(height * _RATIO[1]))), wide.gather(1, first)[:, 0])
    # rand is below 1, but its product with a large number may round up to it
    top = torch.minimum((place[0] * (height - tall + 1)).floor(), height - tall)
    left = torch.minimum((place[1] * (width - wide + 1)).floor(), width - wide)
    top = torch.where(none, ((height - tall) / 2).floor(), top)
    left = torch.where(none, ((width - wide) / 2).floor(), left)
    return top, left, tall, wide


def random_flip(images: Tensor, generator: Generator, share: BatchShare = WHOLE) -> Tensor:
    """Return the images, each mirrored left to right with probability 1/2.

    Shapes:
        images: (B, H, W, C); returns the same.
    """
    batch = len(images)
    flipped = share.of(torch.randint(2, (share.drawn_for(batch),), generator=generator))
    both = torch.stack((images, images.flip(2)), dim=1).view(2 * batch, -1)
    chosen = to_device(torch.arange(batch) * 2 + flipped, images.device)
    return both.index_select(0, chosen).view(images.shape)
