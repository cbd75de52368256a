"""Whole blocks with weights of a few ones: their values are worked out on paper."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from senet_core import BLOCKS
from senet_core.blocks.whole.bam import BAM, BAMProduct
from senet_core.blocks.whole.cbam import CBAM
from senet_core.blocks.whole.coordinate import CoordinateAttention
from senet_core.blocks.whole.ema import MultiScaleAttention
from senet_core.blocks.whole.scse import ScSE
from senet_core.blocks.whole.triplet import TripletAttention

X = torch.tensor([[[[1.0, 3.0]], [[-2.0, 0.0]]]])
"""Two channels, one row, two columns; the channels' means are 2 and -1, their maxima 3 and 0."""
CENTRE = 3, 3


def s(logit: float) -> float:
    """The sigmoid."""
    return 1 / (1 + math.exp(-logit))


def emptied(block: nn.Module) -> nn.Module:
    """Evaluate with norms that do nothing, and every other weight 0."""
    with torch.no_grad():
        for layer in block.modules():
            if isinstance(layer, nn.BatchNorm2d | nn.BatchNorm1d | nn.GroupNorm):
                layer.eps = 0.0
            else:
                for parameter in layer.parameters(recurse=False):
                    parameter.zero_()
    return block.eval()


def put(parameter: Tensor, values: list[object]) -> None:
    with torch.no_grad():
        parameter.copy_(torch.tensor(values).reshape(parameter.shape))


def flat(y: Tensor) -> list[float]:
    values: list[float] = y.flatten().tolist()
    return values


class TestCBAM:
    @pytest.fixture
    def block(self) -> CBAM:
        block = CBAM(2, width=1)
        emptied(block)
        put(block.mlp.fc1.weight, [1.0, 1.0])
        put(block.mlp.fc2.weight, [1.0, -1.0])
        return block

    def test_channels_are_weighed_by_mean_and_maximum(self, block: CBAM) -> None:
        # hidden: 2 - 1 = 1 of the means, 3 + 0 = 3 of the maxima; logits 1 + 3 and -1 - 3; positions open by a half
        assert flat(block.of_channels(X)) == pytest.approx([s(4), s(-4)])
        assert flat(block(X)) == pytest.approx([s(4) / 2, 3 * s(4) / 2, -2 * s(-4) / 2, 0])

    def test_the_mean_taken_twice_is_found(self, block: CBAM) -> None:
        """As in github.com/MenghaoGuo/Awesome-Vision-Attentions, issue 32: sigmoid(MLP(mean) + MLP(mean))."""
        assert s(1 + 1) != pytest.approx(flat(block.of_channels(X))[0], abs=0.1)

    def test_positions_are_weighed_by_what_the_channels_left(self, block: CBAM) -> None:
        block.positions.conv.weight.data[0, 0][CENTRE] = 1  # the maximum over the channels, there
        left, right = s(4), 3 * s(4)
        expected = [left * s(left), right * s(right), -2 * s(-4) * s(left), 0]
        assert flat(block(X)) == pytest.approx(expected)

    def test_positions_see_the_mean_of_their_neighbours(self, block: CBAM) -> None:
        block.positions.conv.weight.data[0, 1, 3, 4] = 1  # the mean over the channels, one column further
        assert flat(block(X))[:2] == pytest.approx([s(4) * s(3 * s(4) / 2), 3 * s(4) / 2])


class TestBAM:
    ROW = torch.tensor([[[[1.0, 3.0]]]])

    @staticmethod
    def logits_of_mean_and_minus_map(block: nn.Module) -> None:
        """Make the channel's logit the mean of the map, and the position's logit minus the map."""
        emptied(block)
        channel, position = block.channel, block.position
        for layer in [*channel, *position]:
            if isinstance(layer, nn.Linear | nn.Conv2d):
                side = layer.weight.shape[-1] // 2 if layer.weight.dim() == 4 else 0
                layer.weight.data[..., side : side + 1, side : side + 1] = 1
        last = [layer for layer in position if isinstance(layer, nn.Conv2d)][-1]
        put(last.weight, [-1.0])

    def test_adds_the_logits_and_the_map(self) -> None:
        block = BAM(1, width=1)
        self.logits_of_mean_and_minus_map(block)  # 2 + (-1, -3) = (1, -1)
        assert flat(block(self.ROW)) == pytest.approx([1 + s(1), 3 * (1 + s(-1))])

    def test_the_authors_code_multiplies_the_logits(self) -> None:
        """The dispute of github.com/implus/PytorchInsight, issue 19, and Jongchan/attention-module, issue 52."""
        block = BAMProduct(1, width=1)
        self.logits_of_mean_and_minus_map(block)  # 2 * (-1, -3) = (-2, -6)
        assert flat(block(self.ROW)) == pytest.approx([1 + s(-2), 3 * (1 + s(-6))])

    @pytest.mark.parametrize("kind", [BAM, BAMProduct])
    def test_two_convolutions_of_dilation_four_see_eight_columns_away(self, kind: type[BAM]) -> None:
        block = kind(1, width=1)
        emptied(block)
        first, *shifts, last = (layer for layer in block.position if isinstance(layer, nn.Conv2d))
        for layer in (first, last):
            put(layer.weight, [1.0])
        for layer in shifts:
            layer.weight.data[0, 0, 1, 2] = 1  # the neighbour to the right
        x = torch.zeros(1, 1, 1, 9)
        x[..., 8] = 1
        assert flat(block.position(x)) == [1, 0, 0, 0, 0, 0, 0, 0, 0]


class TestScSE:
    @staticmethod
    def block(*, largest: bool) -> ScSE:
        block = ScSE(2, width=1, largest=largest)
        emptied(block)
        put(block.mlp.fc1.weight, [1.0, 1.0])  # hidden: 2 - 1
        put(block.mlp.fc2.weight, [2.0, 1.0])
        put(block.conv.weight, [1.0, 1.0])  # logits of positions: 1 - 2 and 3 + 0
        return block

    def test_adds(self) -> None:
        assert flat(self.block(largest=False)(X)) == pytest.approx(
            [s(2) + s(-1), 3 * (s(2) + s(3)), -2 * (s(1) + s(-1)), 0]
        )

    def test_takes_the_larger_product_not_the_larger_gate(self) -> None:
        assert flat(self.block(largest=True)(X)) == pytest.approx([s(2), 3 * s(3), -2 * s(-1), 0])


def test_coordinate_attention_weighs_rows_and_columns() -> None:
    block = CoordinateAttention(1, width=1)
    emptied(block)
    put(block.conv.weight, [1.0])
    put(block.rows.weight, [1.0])
    put(block.columns.weight, [-1.0])
    x = torch.tensor([[[[1.0, 3.0], [5.0, 7.0]]]])
    # rows have means 2 and 6, columns 3 and 5; hardswish(2) = 2 (2 + 3) / 6, and from 3 on it changes nothing
    top, bottom, left, right = s(10 / 6), s(6), s(-3), s(-5)
    assert flat(block(x)) == pytest.approx(
        [top * left, 3 * top * right, 5 * bottom * left, 7 * bottom * right]
    )


def test_triplet_attention_is_the_mean_of_three_gates() -> None:
    block = TripletAttention(2, width=1)
    emptied(block)
    for gate in block.gates:
        gate.conv.weight.data[0, 0][CENTRE] = 1
    # maxima over channels 1 and 3, over the one row the map itself, over columns 3 and 0
    expected = [s(1) + s(1) + s(3), 3 * (s(3) + s(3) + s(3)), -2 * (s(1) + s(-2) + s(0)), 0]
    assert flat(block(X)) == pytest.approx([value / 3 for value in expected])


class TestEMA:
    @pytest.fixture
    def block(self) -> MultiScaleAttention:
        block = MultiScaleAttention(2, width=2)
        emptied(block)
        put(block.norm.bias, [0.0, math.log(3)])
        for channel in (0, 1):
            block.conv3x3.weight.data[channel, channel, 1, 1] = 1
        return block

    def test_each_branch_weighs_the_channels_of_the_other(self, block: MultiScaleAttention) -> None:
        # a: both channels are -1 and 1 when normalised, then the biases; b: the map, with means 2 and -1
        one, other = s(3), s(-3)  # softmax of 2 and -1
        low = 0.25 * 1 + 0.75 * -2 + one * -1 + other * (-1 + math.log(3))
        high = 0.25 * 3 + 0.75 * 0 + one * 1 + other * (1 + math.log(3))
        assert flat(block(X)) == pytest.approx([s(low), 3 * s(high), -2 * s(low), 0])

    def test_of_one_branch_the_other_learns_nothing_but_the_norms_biases(self) -> None:
        """The mean of a normalised map is its bias: the first softmax is the same for every image."""
        torch.manual_seed(0)
        block = MultiScaleAttention(4, width=4)
        nn.init.normal_(block.norm.bias)
        means = block.norm(torch.randn(3, 4, 5, 7)).mean(dim=(2, 3))
        torch.testing.assert_close(means, block.norm.bias.expand(3, 4))

    def test_groups_share_their_weights(self) -> None:
        torch.manual_seed(0)
        block = MultiScaleAttention(6, width=2)
        x = torch.randn(1, 2, 3, 5).repeat(1, 3, 1, 1)
        first, second, third = block(x).chunk(3, dim=1)
        torch.testing.assert_close(first, second)
        torch.testing.assert_close(first, third)


def test_every_block_is_worked_out_here() -> None:
    worked = {"cbam", "bam", "bam-product", "scse", "scse-max", "coordinate", "triplet", "ema"}
    assert {name for name in BLOCKS if BLOCKS[name].origin.kind == "built-in"} == {"se", *worked}
