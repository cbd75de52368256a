"""Losses, worked by hand and against torch's."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from small import small_trial
from torch import Tensor

from ablations.planning.networks.recipes.losses import LOSSES
from ablations.running.training.losses import FUNCTIONS, loss_of

LABELS = torch.tensor([0, 2, 1])


def logits() -> Tensor:
    return torch.randn(3, 4, generator=torch.Generator().manual_seed(0))


def loss(values: Tensor, targets: Tensor, **recipe: object) -> Tensor:
    return loss_of(values, targets, small_trial(**recipe).recipe)


def test_every_name_has_a_function() -> None:
    assert list(FUNCTIONS) == list(LOSSES)


@pytest.mark.parametrize("smoothing", [0, 0.2])
@pytest.mark.parametrize("name", LOSSES)
def test_labels_are_shares_of_one(name: str, smoothing: float) -> None:
    x, shares = logits(), F.one_hot(LABELS, 4).float()
    by_label, by_share = (loss(x, t, loss=name, label_smoothing=smoothing) for t in (LABELS, shares))
    assert by_label.item() == pytest.approx(by_share.item(), rel=1e-6)


def test_cross_entropy_is_torchs() -> None:
    assert torch.equal(
        loss(logits(), LABELS, label_smoothing=0.1), F.cross_entropy(logits(), LABELS, label_smoothing=0.1)
    )


def test_bce_of_no_knowledge_is_log_2_for_each_class() -> None:
    assert loss(torch.zeros(3, 4), LABELS, loss="bce").item() == pytest.approx(
        4 * torch.tensor(2.0).log().item()
    )


def test_bce_smooths_labels_as_cross_entropy_does() -> None:
    shares = F.one_hot(LABELS, 4).float() * 0.8 + 0.05
    assert loss(logits(), LABELS, loss="bce", label_smoothing=0.2).item() == pytest.approx(
        loss(logits(), shares, loss="bce").item()
    )


def test_focal_counts_an_image_by_the_doubt_in_its_class() -> None:
    """Two classes, p = 1/4 for the right one: (3/4)^2 times log 4."""
    x = torch.tensor([[0.0, torch.tensor(3.0).log()]])
    assert loss(x, torch.tensor([0]), loss="focal").item() == pytest.approx((3 / 4) ** 2 * 1.3862944)
    assert loss(x, torch.tensor([0]), loss="focal", focal_gamma=1).item() == pytest.approx(3 / 4 * 1.3862944)


@pytest.mark.parametrize("gamma", [0.01, 0.5, 2.0, 50.0])
def test_focal_has_a_finite_slope_where_all_is_known(gamma: float) -> None:
    x = torch.tensor([[200.0, 0.0], [0.0, 200.0]], requires_grad=True)
    loss(x, torch.tensor([0, 0]), loss="focal", focal_gamma=gamma, label_smoothing=0.1).backward()
    assert x.grad is not None
    assert x.grad.isfinite().all()
