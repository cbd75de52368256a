"""Squeezes: values worked by hand from the papers' definitions, and refusals."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from senet_core import SQUEEZES, SEBlock, UserError
from senet_core.blocks.block import _with_channels
from senet_core.blocks.squeezes.fca import TOP16

MAP = torch.tensor([[[[1.0, 2.0], [3.0, 6.0]], [[-4.0, -1.0], [0.0, -3.0]]]])  # (1, 2, 2, 2)
RAMP = torch.arange(25.0).reshape(1, 1, 5, 5)


def built(name: str, channels: int) -> nn.Module:
    torch.manual_seed(0)
    made = _with_channels(SQUEEZES[name], channels)
    assert isinstance(made, nn.Module)
    return made.eval()


def squeeze(name: str, x: Tensor) -> Tensor:
    return _with_channels(SQUEEZES[name], x.shape[1])(x)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("l2", [math.sqrt(1 + 4 + 9 + 36 + 1e-5), math.sqrt(16 + 1 + 9 + 1e-5)]),
        ("std", [math.sqrt(3.5 + 1e-5), math.sqrt(2.5 + 1e-5)]),  # squares apart from 3: 4 + 1 + 0 + 9, of 4
        ("top-quarter", [6.0, 0.0]),
        ("gem", [((1 + 8 + 27 + 216) / 4) ** (1 / 3), 1e-6]),  # all that is negative counts as 1e-6
    ],
)
def test_a_number_of_each_channel(name: str, expected: list[float]) -> None:
    assert squeeze(name, MAP)[0].tolist() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [
        ("mean-std", [3.0, -2.0], [math.sqrt(3.5 + 1e-5), math.sqrt(2.5 + 1e-5)]),
        ("avg-max", [3.0, -2.0], [6.0, 0.0]),
    ],
)
def test_two_numbers_of_each_channel(name: str, first: list[float], second: list[float]) -> None:
    both = squeeze(name, MAP)[0].tolist()
    assert both[0] == pytest.approx(first)
    assert both[1] == pytest.approx(second)


def test_the_largest_quarter_is_rounded_up() -> None:
    assert squeeze("top-quarter", RAMP).item() == pytest.approx((24 + 23 + 22 + 21 + 20 + 19 + 18) / 7)


def test_the_exponent_of_the_generalised_mean_is_learned() -> None:
    mean = built("gem", 2)
    nn.init.ones_(mean.p)
    assert mean(MAP.abs())[0].tolist() == pytest.approx([3.0, 2.0])
    mean(MAP.abs()).sum().backward()
    assert mean.p.grad.abs() > 0


def test_simam_of_a_map_by_hand() -> None:
    # of the first channel: mean 3, variance 3.5, squares apart 4, 1, 0, 9
    expected = [square / (4 * (3.5 + 1e-4)) + 0.5 for square in (4, 1, 0, 9)]
    assert squeeze("simam", MAP)[0, 0].flatten().tolist() == pytest.approx(expected)


def test_gathering_averages_the_windows_around_every_second_position() -> None:
    # windows of 3 x 3 around 0, 2, 4, cut at the border: rows 0-1, 1-3, 3-4
    means = [0.5, 2.0, 3.5]
    expected = [[5 * row + column for column in means] for row in means]
    assert torch.allclose(squeeze("ge2", RAMP)[0, 0], torch.tensor(expected))


def test_tiles_do_not_overlap_and_the_last_are_smaller() -> None:
    expected = [[5 * row + column for column in (1.5, 4.0)] for row in (1.5, 4.0)]  # rows 0-3 and 4
    assert torch.allclose(squeeze("tiles4", RAMP)[0, 0], torch.tensor(expected))


@pytest.mark.parametrize(
    ("name", "extent"), [("ge2", 2), ("ge4", 4), ("ge8", 8), ("tiles4", 4), ("tiles8", 8)]
)
def test_a_gate_serves_one_tile(name: str, extent: int) -> None:
    block, x = SEBlock(16, width=4, squeeze=name, gate="identity"), torch.randn(1, 16, 16, 16)
    weights = block.weights(x)
    tiles = weights[:, :, ::extent, ::extent]
    assert torch.equal(weights, tiles.repeat_interleave(extent, 2).repeat_interleave(extent, 3))
    assert (tiles.diff(dim=2) != 0).float().mean() > 0.9
    assert (tiles.diff(dim=3) != 0).float().mean() > 0.9


@pytest.mark.parametrize(("name", "layers"), [("ge2-theta", 1), ("ge4-theta", 2), ("ge8-theta", 3)])
def test_learned_gathering_halves_a_map_and_has_ten_weights_a_channel_for_it(name: str, layers: int) -> None:
    gather = built(name, 16)
    assert gather(torch.randn(1, 16, 16, 8)).shape == (1, 16, 16 >> layers, 8 >> layers)
    assert sum(p.numel() for p in gather.parameters()) == layers * 16 * (9 + 2)


@pytest.mark.parametrize("size", [7, 14, 56])
def test_fca_is_the_cosine_transform_of_scipy(size: int) -> None:
    from scipy.fft import dctn

    x = torch.randn(2, 32, size, size, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    whole = torch.from_numpy(dctn(x.numpy(), axes=(2, 3), norm="ortho"))
    step = size // 7
    expected = torch.stack(
        [whole[:, 2 * k + i, u * step, v * step] for k, (u, v) in enumerate(TOP16) for i in (0, 1)], 1
    )
    torch.testing.assert_close(built("fca-top16", 32)(x.float()).double(), expected, rtol=1e-4, atol=1e-5)


def test_fca_of_frequency_0_is_the_mean_times_a_constant() -> None:
    x = torch.randn(3, 16, 5, 9)
    assert torch.allclose(built("fca-low16", 16)(x)[:, 0], x[:, 0].mean((1, 2)) * math.sqrt(45), atol=1e-5)


def test_fca_differs_from_adaptive_pooling_at_other_sizes() -> None:
    """The authors' code pools to a size it was built for; computed where the map is, more is seen."""
    wave = torch.cos(math.pi * 6 * (torch.arange(14) + 0.5) / 7)[None, None, :, None].expand(1, 16, 14, 14)
    pooled = nn.functional.adaptive_avg_pool2d(wave, 7)
    fca = built("fca-top16", 16)
    assert fca(wave)[0, 2].abs() > 5  # frequency (6, 0)
    assert fca(pooled)[0, 2].abs() < 4


def test_sge_by_hand() -> None:
    sge = built("sge4", 8)
    with torch.no_grad():
        sge.w.fill_(2.0)
    x = torch.zeros(1, 8, 1, 2)
    x[0, 0, 0] = torch.tensor([1.0, 3.0])  # mean 2
    x[0, 1, 0] = torch.tensor([0.0, 2.0])  # mean 1
    # c = (1 * 2 + 0 * 1, 3 * 2 + 2 * 1) = (2, 8): mean 5, deviation 3, so -1 and 1; times w, plus b
    logits = sge(x)
    assert logits[0, 0, 0].tolist() == pytest.approx([-1.0, 3.0], abs=1e-4)
    assert torch.equal(logits[0, 0], logits[0, 1])
    assert torch.equal(logits[0, 2:], torch.ones(6, 1, 2))  # dead groups


def test_context_is_a_weighted_mean() -> None:
    context = built("context", 2)
    with torch.no_grad():
        context.attention.weight.copy_(torch.tensor([math.log(3), 0.0])[None, :, None, None])
    x = torch.tensor([[[[0.0, 1.0]], [[4.0, 8.0]]]])  # the second position weighs three times the first
    assert context(x)[0].tolist() == pytest.approx([0.75, 7.0])


@pytest.mark.parametrize(
    ("name", "channels", "message"),
    [
        (
            "fca-top16",
            24,
            "squeeze 'fca-top16' has a frequency for each of 16 groups of channels, into which 24 channels cannot be"
            " divided",
        ),
        (
            "sge8",
            8,
            "squeeze 'sge8' has 8 groups of at least two channels, into which 8 channels cannot be divided",
        ),
        (
            "sge4",
            10,
            "squeeze 'sge4' has 4 groups of at least two channels, into which 10 channels cannot be divided",
        ),
    ],
)
def test_channels_that_cannot_be_divided_are_refused(name: str, channels: int, message: str) -> None:
    with pytest.raises(UserError) as caught:
        built(name, channels)
    assert str(caught.value) == message
