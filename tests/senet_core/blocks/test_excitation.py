"""Excitations: the contract of the slot over all that is registered, and values worked by hand."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from senet_core import EXCITATIONS
from senet_core.blocks.block import _with_channels


def excite(name: str, logits: Tensor) -> Tensor:
    return _with_channels(EXCITATIONS[name], logits.shape[1])(logits)


@pytest.mark.parametrize("name", EXCITATIONS)  # registering an excitation is enough to be tested
class TestEvery:
    @pytest.mark.parametrize("shape", [(2, 8), (1, 1), (2, 8, 5, 7), (1, 3, 1, 1)])
    def test_keeps_the_shape(self, name: str, shape: tuple[int, ...]) -> None:
        weights = excite(name, torch.randn(shape))
        assert weights.shape == shape
        assert weights.dtype == torch.float32

    def test_is_finite_with_a_finite_gradient_at_zero_and_far_out(self, name: str) -> None:
        logits = torch.tensor([[0.0, -0.0, 1e4, -1e4]], requires_grad=True)
        weights = excite(name, logits)
        weights.sum().backward()
        assert weights.isfinite().all()
        assert logits.grad is not None
        assert logits.grad.isfinite().all()

    def test_weighs_each_position_alone(self, name: str) -> None:
        logits = torch.randn(2, 4, 3, 5, generator=torch.Generator().manual_seed(0))
        here = excite(name, logits)[:, :, 1, 2]
        torch.testing.assert_close(here, excite(name, logits[:, :, 1, 2]))

    def test_leaves_its_input_alone(self, name: str) -> None:
        logits = torch.randn(2, 4, generator=torch.Generator().manual_seed(0))
        before = logits.clone()
        excite(name, logits)
        assert torch.equal(logits, before)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("sigmoid", [1 / (1 + math.e), 0.5, 1 / (1 + math.exp(-2))]),
        ("relu", [0.0, 0.0, 2.0]),
        ("tanh", [-math.tanh(1), 0.0, math.tanh(2)]),
        ("hard-sigmoid", [2 / 6, 0.5, 5 / 6]),
        ("softmax", [3 * math.exp(x) / (math.exp(-1) + 1 + math.exp(2)) for x in (-1, 0, 2)]),
        ("linear", [-1.0, 0.0, 2.0]),
        ("two-sigmoid", [2 / (1 + math.e), 1.0, 2 / (1 + math.exp(-2))]),
        ("one-plus-tanh", [1 - math.tanh(1), 1.0, 1 + math.tanh(2)]),
        ("gaussian", [math.exp(-1 / 8), 1.0, math.exp(-1 / 2)]),
        ("elu-plus-one", [math.exp(-1), 1.0, 3.0]),
    ],
)
def test_by_hand(name: str, expected: list[float]) -> None:
    assert excite(name, torch.tensor([[-1.0, 0.0, 2.0]]))[0].tolist() == pytest.approx(expected)
