"""Mixup and CutMix: images and labels of a batch are mixed with those of their neighbours."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from ablations.planning.networks.recipe import Recipe
from senet_core.randomness import drawing_from

_SEEDS = 2**62


class Mixing:
    """Mixes a batch by mixup or by CutMix; where a recipe has both, a fair coin says which, batch by batch.

    Each batch is mixed with a seed of its own: trials that differ in a strength toss the same coins.

    Args:
        recipe: the strengths, at least one of them above 0.
        classes: of the data.
        generator: of the CPU; gives each batch its seed.

    Source: mixup: Zhang et al. 2018, arXiv:1710.09412; CutMix: Yun et al. 2019, arXiv:1905.04899; as
    torchvision (`transforms.v2`) has them: one share for a batch, and the pairs are neighbours in it.
    """

    def __init__(self, recipe: Recipe, classes: int, generator: Generator) -> None:
        from torchvision.transforms import v2  # its import takes a second or two

        self._generator = generator
        wanted = ((v2.MixUp, recipe.mixup), (v2.CutMix, recipe.cutmix))
        found = [kind(alpha=alpha, num_classes=classes) for kind, alpha in wanted if alpha > 0]
        self._either = (found[0], found[-1])

    def __call__(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Return mixed images and the share of each class in them.

        Shapes:
            images: (B, C, H, W) in channels_last; returns the same. labels: (B,); returns (B, classes).
        """
        seed = int(torch.randint(_SEEDS, (), generator=self._generator))
        with drawing_from(seed, "mixing"):
            mix = self._either[int(torch.rand(()) < 0.5)]
            mixed, shares = mix(images, labels)
        return mixed.contiguous(memory_format=torch.channels_last), shares
