"""Augmentation: the random changes to a batch of training images, in their order."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Generator, Tensor

from ablations.running.training.augmentation.crops import centre_crop, pad_crop, random_flip, resized_crop
from ablations.running.training.augmentation.cutout import cutout
from ablations.running.training.augmentation.per_image import erase, randaugment, seeds_of
from ablations.running.training.augmentation.share import WHOLE, BatchShare
from senet_core.errors import UserError, unknown

CROPS = ("pad", "resized", "none")


@dataclass(frozen=True)
class Augmentation:
    """Random changes to a batch of training images: crop, flip, RandAugment, cutout, erasing, in this order.

    Attributes:
        size: side of the returned images, in pixels.
        crop: "pad" (zeros around the image, then a crop at a random place), "resized" (random area and aspect
            ratio, scaled to `size`) or "none" (the centre, where the images are larger than `size`).
        pad: pixels of zeros on each side, for "pad".
        flip: mirror each image left to right with probability 1/2.
        cutout: side in pixels of the square that is blanked; 0 for none. Its centre is anywhere in the image,
            and what lies outside is lost.
        randaugment: operations of RandAugment on each image; 0 for none.
        magnitude: of these, 0..30.
        erasing: probability with which a rectangle of an image is blanked.
        fill: what is put where nothing is left of the image, one number 0..255 a channel; empty for zeros. Cutout's
            authors blank with 0 after normalisation: give the data's mean, which becomes that 0, to half a grey level.

    Raises:
        UserError: an unknown crop, or a number out of range.

    Source: pad-crop and flip: He et al. 2016, arXiv:1512.03385, section 4.2. Resized crop: Szegedy et al.
    2015, arXiv:1409.4842, as in torchvision, but scaled without antialiasing (the stored images leave at most
    8/7 to scale down). Cutout: DeVries and Taylor 2017, arXiv:1708.04552; an odd side is kept as it is, where
    the authors' code makes it even. RandAugment: Cubuk et al. 2020, arXiv:1909.13719; erasing: Zhong et al. 2020,
    arXiv:1708.04896; both are torchvision's (`transforms.v2`).
    """

    size: int
    crop: str = "pad"
    pad: int = 4
    flip: bool = True
    cutout: int = 0
    randaugment: int = 0
    magnitude: int = 9
    erasing: float = 0.0
    fill: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if self.crop not in CROPS:
            raise unknown("crop", self.crop, CROPS)
        for field, value, least in (("size", self.size, 1), ("pad", self.pad, 0), ("cutout", self.cutout, 0)):
            if value < least:
                raise UserError(f"{field} must be at least {least} pixels, got {value!r}")

    def __call__(
        self, images: Tensor, generator: Generator, own: Generator, share: BatchShare = WHOLE
    ) -> Tensor:
        """Return a changed copy, or the batch itself where no operation is set.

        Args:
            images: uint8, on any device, for RandAugment and erasing on the CPU; not changed.
            generator: of the CPU; draws crops, flips and cutout.
            own: of the CPU; gives each image a seed of its own for RandAugment and one for erasing.
            share: of a batch, that the images are.

        Shapes:
            images: (B, H, W, C); returns (B, size, size, C).

        Raises:
            UserError: the images are too small for the crop.
        """
        if self.crop == "pad":
            images = pad_crop(images, self.pad, self.size, generator, share)
        elif self.crop == "resized":
            images = resized_crop(images, self.size, generator, share)
        else:
            images = centre_crop(images, self.size)
        if self.flip:
            images = random_flip(images, generator, share)
        for_operations, for_erasing = seeds_of(images, own, share)
        if self.randaugment > 0:
            images = randaugment(images, self.randaugment, self.magnitude, self.fill, for_operations)
        if self.cutout > 0:
            images = cutout(images, self.cutout, self.fill, generator, share)
        if self.erasing > 0:
            images = erase(images, self.erasing, self.fill, for_erasing)
        return images
