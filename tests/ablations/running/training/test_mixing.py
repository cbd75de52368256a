"""Mixup and CutMix: torchvision's, with coins and shares that trials of one seed have in common."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from small import small_trial
from torch import Generator, Tensor

from ablations.running.training.mixing import Mixing

LABELS = torch.tensor([0, 1, 2, 2, 4, 5])


def images() -> Tensor:
    flat = torch.arange(6.0)[:, None, None, None].expand(6, 3, 8, 8)
    return flat.contiguous(memory_format=torch.channels_last)


def mixing(seed: int = 0, **recipe: Any) -> Mixing:
    return Mixing(small_trial(**recipe).recipe, 6, Generator().manual_seed(seed))


def test_mixup_blends_neighbours_and_their_labels_by_one_share() -> None:
    mixed, shares = mixing(mixup=0.5)(images(), LABELS)
    share = shares[0, 0].item()
    one_hot = torch.nn.functional.one_hot(LABELS, 6).float()
    assert torch.allclose(shares, share * one_hot + (1 - share) * one_hot.roll(1, 0))
    assert torch.allclose(mixed, share * images() + (1 - share) * images().roll(1, 0))
    assert mixed.is_contiguous(memory_format=torch.channels_last)


def test_cutmix_mixes_labels_by_area() -> None:
    mixed, shares = mixing(cutmix=1.0)(images(), LABELS)
    own = (mixed == images()).float().mean(dim=(1, 2, 3))
    assert torch.allclose(own, shares[0, 0].expand(6))
    assert mixed.is_contiguous(memory_format=torch.channels_last)
    assert shares.sum(dim=1).allclose(torch.ones(6))


def _is_blend(found: tuple[Tensor, Tensor]) -> bool:
    return not bool(((found[0] == images()) | (found[0] == images().roll(1, 0))).all())


def test_a_fair_coin_says_which_and_the_strength_does_not_change_it() -> None:
    tosses = []
    for strength in (0.5, 0.9):
        mix = mixing(mixup=strength, cutmix=1.0)
        tosses.append([_is_blend(mix(images(), LABELS)) for _ in range(60)])
    assert tosses[0] == tosses[1]
    assert 15 < sum(tosses[0]) < 45


def test_of_one_seed_mixup_alone_is_that_beside_cutmix() -> None:
    alone, both = mixing(mixup=0.5), mixing(mixup=0.5, cutmix=1.0)
    for _ in range(20):
        one, other = alone(images(), LABELS), both(images(), LABELS)
        if _is_blend(other):
            assert torch.equal(one[0], other[0])


@pytest.mark.parametrize(
    "recipe", [{"mixup": 1e-6}, {"mixup": 1000}, {"cutmix": 1e-6}, {"cutmix": 1000}], ids=str
)
def test_strengths_at_the_edge_give_numbers(recipe: dict[str, Any]) -> None:
    mix, state = mixing(**recipe), torch.get_rng_state()
    for _ in range(20):
        mixed, shares = mix(images()[:2], LABELS[:2])
        assert mixed.isfinite().all()
        assert shares.sum(dim=1).allclose(torch.ones(2))
    assert torch.equal(torch.get_rng_state(), state)
