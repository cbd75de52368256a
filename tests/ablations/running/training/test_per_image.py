"""RandAugment and erasing: torchvision's own, and each image has random numbers of its own."""

from __future__ import annotations

import pytest
import torch
from torch import Generator, Tensor
from torchvision.transforms import v2

from ablations.running.training.augmentation.per_image import erase, randaugment, seeds_of

FILL = (10.4, 20.0, 30.0)


def images(channels: int = 3, side: int = 12) -> Tensor:
    draws = Generator().manual_seed(5)
    return torch.randint(256, (6, side, side, channels), dtype=torch.uint8, generator=draws)


def seeds() -> Tensor:
    return seeds_of(images(), Generator().manual_seed(0))[0]


def test_each_image_is_torchvisions_from_its_own_seed() -> None:
    found, made = randaugment(images(), 2, 9, FILL, seeds()), v2.RandAugment(2, 9, fill=[10, 20, 30])
    erased, erasing = erase(images(), 0.5, FILL, seeds()), v2.RandomErasing(0.5, value=[10.0, 20.0, 30.0])
    for place, seed in enumerate(seeds().tolist()):
        image = images()[place].permute(2, 0, 1)
        for result, change in ((found, made), (erased, erasing)):
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(seed)
                assert torch.equal(result[place].permute(2, 0, 1), change(image))


def test_an_image_changes_alike_whatever_else_is_in_the_batch() -> None:
    every, some = images(), seeds()
    for change in (randaugment(every, 2, 9, FILL, some), erase(every, 1.0, FILL, some)):
        assert not torch.equal(change, every)
    alone = randaugment(every[3:4], 2, 9, FILL, some[3:4])
    assert torch.equal(alone[0], randaugment(every, 2, 9, FILL, some)[3])


def test_a_second_operation_leaves_the_first_as_it_was() -> None:
    """Of the identity, which is one of the operations, nothing is seen: some images are alike after one and two."""
    many, own = images().repeat(20, 1, 1, 1), Generator().manual_seed(1)
    numbers = seeds_of(many, own)[0]
    one, two = (randaugment(many, count, 9, FILL, numbers) for count in (1, 2))
    alike = (one == two).flatten(1).all(dim=1)
    assert 0 < alike.sum() < len(many)


def test_more_erasing_erases_more_of_the_same() -> None:
    some, all_ = (erase(images(), p, FILL, seeds()) for p in (0.5, 1.0))
    touched = (some != images()).flatten(1).any(dim=1)
    assert 0 < touched.sum() < len(touched)
    assert torch.equal(some[touched], all_[touched])


@pytest.mark.parametrize(("channels", "side"), [(1, 8), (3, 32), (1, 1)])
def test_grey_and_small_images_are_changed_too(channels: int, side: int) -> None:
    before = images(channels, side)
    fill, state = FILL[:channels], torch.get_rng_state()
    for magnitude in (0, 30):
        changed = randaugment(before, 5, magnitude, fill, seeds())
        assert (changed.shape, changed.dtype) == (before.shape, torch.uint8)
    assert erase(before, 1.0, fill, seeds()).shape == before.shape
    assert torch.equal(before, images(channels, side))
    assert torch.equal(torch.get_rng_state(), state)
