"""Squeezes: the contract of the slot over all that is registered, and values worked by hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from senet_core import SQUEEZES
from senet_core.blocks.block import _with_channels
from senet_core.blocks.squeezes.paper import average_squeeze

SHAPES = [(2, 16, 5, 7), (1, 16, 1, 1), (1, 16, 3, 1), (3, 16, 2, 9)]
MAP = torch.tensor([[[[1.0, 2.0], [3.0, 6.0]], [[-4.0, -1.0], [0.0, -3.0]]]])  # (1, 2, 2, 2)


def built(name: str, channels: int) -> Callable[[Tensor], Tensor]:
    torch.manual_seed(0)
    made = _with_channels(SQUEEZES[name], channels)
    return made.eval() if isinstance(made, nn.Module) else made


def squeeze(name: str, x: Tensor) -> Tensor:
    return built(name, x.shape[1])(x)


OF_GROUPS = {"context", "sge4", "sge8"}
"""Squeezes in which a channel's descriptor depends on others."""
BY_PLACE = {"fca-low16", "fca-top16", "ge2-theta", "ge4-theta", "ge8-theta"}
"""Squeezes that treat channels differently."""


@pytest.mark.parametrize("name", SQUEEZES)  # registering a squeeze is enough to be tested
class TestEvery:
    @pytest.mark.parametrize("shape", SHAPES)
    def test_gives_descriptors_of_channels_or_keeps_positions_or_tiles(
        self, name: str, shape: tuple[int, int, int, int]
    ) -> None:
        x = torch.randn(shape)
        z = squeeze(name, x)
        many = SQUEEZES[name].traits["descriptors"]
        if z.dim() == 4:
            assert z.shape[:2] == shape[:2]
            assert z.shape[2] <= shape[2]
            assert z.shape[3] <= shape[3]
        else:
            assert z.shape == (shape[:2] if many == 1 else (shape[0], many, shape[1]))
        assert z.dtype == x.dtype
        assert z.isfinite().all()

    def test_has_a_finite_gradient_on_dead_channels(self, name: str) -> None:
        x = torch.zeros(2, 16, 5, 7, requires_grad=True)
        squeeze(name, x).sum().backward()
        assert x.grad is not None
        assert x.grad.isfinite().all()

    def test_reads_each_image_and_channel_alone(self, name: str) -> None:
        x = torch.rand(3, 16, 5, 3, generator=torch.Generator().manual_seed(0))
        of, many = built(name, 16), SQUEEZES[name].traits["descriptors"]
        channels = 1 if many == 1 else 2
        z = of(x)
        torch.testing.assert_close(of(x[[2, 0, 1]]), z[[2, 0, 1]])
        changed = x.clone()
        changed[0, 2, 0, 0] += 1  # learned gathering has units behind a ReLU, of which this channel's live
        differs = (of(changed) != z).transpose(1, channels).reshape(3, 16, -1).any(dim=2)
        assert not differs[1:].any()
        if name not in OF_GROUPS:
            assert differs[0, 2]
            assert differs.sum() == 1
        if name not in OF_GROUPS | BY_PLACE:
            order = torch.arange(15, -1, -1)
            torch.testing.assert_close(of(x[:, order]), z.index_select(channels, order))


def test_average_by_hand() -> None:
    assert squeeze("avg", MAP).tolist() == [[3.0, -2.0]]


def test_maximum_by_hand() -> None:
    assert squeeze("max", MAP).tolist() == [[6.0, 0.0]]


def test_equal_maxima_share_the_gradient() -> None:
    x = torch.tensor([[[[5.0, 5.0], [1.0, 0.0]]]], requires_grad=True)
    squeeze("max", x).sum().backward()
    assert x.grad is not None
    assert x.grad.flatten().tolist() == [0.5, 0.5, 0.0, 0.0]


def test_no_squeeze_passes_the_map_on() -> None:
    assert squeeze("none", MAP) is MAP


@pytest.mark.parametrize("channels_last", [True, False])
@pytest.mark.parametrize("shape", [(2, 24, 9, 11), (3, 16, 1, 100), (64, 64, 1, 1)])
def test_the_average_has_a_dense_gradient_that_agrees_with_float64(
    shape: tuple[int, ...], channels_last: bool
) -> None:
    order = torch.channels_last if channels_last else torch.contiguous_format
    x = torch.randn(shape, generator=torch.Generator().manual_seed(0)).contiguous(memory_format=order)
    weight = torch.linspace(-1, 1, shape[1])
    found = []
    for kind in (torch.float32, torch.float64):
        leaf = x.to(kind).requires_grad_()
        out = average_squeeze(leaf) if kind is torch.float32 else leaf.mean(dim=(2, 3))
        (gradient,) = torch.autograd.grad((out * weight.to(kind)).square().sum(), leaf)
        found.append((out.double(), gradient.double()))
        if kind is torch.float32:
            assert gradient.is_contiguous(memory_format=order)
    torch.testing.assert_close(found[0], found[1], rtol=1e-5, atol=1e-7)


def test_the_average_can_be_differentiated_twice() -> None:
    x = torch.randn(4, 16, 8, 8, dtype=torch.float64, requires_grad=True)
    (first,) = torch.autograd.grad(average_squeeze(x).pow(3).sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(first.square().sum(), x)
    assert second.abs().sum() > 0
