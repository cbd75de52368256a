"""Whole blocks compute what other libraries do, up to departures that are named; else, the papers' formulas."""

from __future__ import annotations

import pytest
import torch
from timm.layers.cbam import CbamModule
from timm.layers.coord_attn import CoordAttn
from torch import Tensor, nn

from senet_core.blocks.whole.cbam import CBAM
from senet_core.blocks.whole.coordinate import CoordinateAttention
from senet_core.blocks.whole.ema import MultiScaleAttention
from senet_core.blocks.whole.scse import ScSE
from senet_core.blocks.whole.triplet import TripletAttention

CHANNELS, WIDTH = 16, 4


def drawn(block: nn.Module) -> nn.Module:
    """Draw every parameter and every statistic anew."""
    generator = torch.Generator().manual_seed(1)
    for tensor in [*block.parameters(), *block.buffers()]:
        if tensor.is_floating_point():
            tensor.data.uniform_(0.2, 1.0, generator=generator)
            if tensor.dim() > 1:
                tensor.data.sub_(0.6)
    return block


def maps() -> Tensor:
    return torch.randn(3, CHANNELS, 6, 9, generator=torch.Generator().manual_seed(0))


def copy(target: nn.Module, source: nn.Module) -> None:
    """Copy a layer, whose matrices may be 1x1 convolutions there."""
    with torch.no_grad():
        for mine, theirs in zip(target.state_dict().values(), source.state_dict().values(), strict=True):
            mine.copy_(theirs.reshape(mine.shape))


@pytest.mark.parametrize("training", [False, True])
def test_cbam_is_timms_with_the_two_pooled_maps_in_the_other_order(training: bool) -> None:
    """The largest difference from timm 1.0.31 is 2.4e-7, and 4.8e-7 of the gates of positions alone."""
    theirs, ours = drawn(CbamModule(CHANNELS, rd_channels=WIDTH)), CBAM(CHANNELS, width=WIDTH)
    copy(ours.mlp.fc1, theirs.channel.fc1)
    copy(ours.mlp.fc2, theirs.channel.fc2)
    spatial = theirs.spatial.conv
    ours.positions.conv.weight.data.copy_(spatial.conv.weight.flip(1))
    copy(ours.positions.norm, spatial.bn)
    x = maps()
    torch.testing.assert_close(ours.train(training)(x), theirs.train(training)(x), rtol=0, atol=1e-5)
    torch.testing.assert_close(x * ours.of_channels(x), theirs.channel(x), rtol=0, atol=1e-5)
    torch.testing.assert_close(x * ours.positions(x), theirs.spatial(x), rtol=0, atol=1e-5)


@pytest.mark.parametrize("training", [False, True])
def test_coordinate_attention_is_timms_without_the_bias_before_the_norm(training: bool) -> None:
    """The largest difference from timm 1.0.31 is 1.2e-7."""
    theirs = drawn(CoordAttn(CHANNELS, rd_channels=WIDTH, bias=True))
    ours = CoordinateAttention(CHANNELS, width=WIDTH)
    nn.init.zeros_(theirs.conv1.bias)
    ours.conv.weight.data.copy_(theirs.conv1.weight)
    for mine, their in ((ours.norm, theirs.bn1), (ours.rows, theirs.conv_h), (ours.columns, theirs.conv_w)):
        copy(mine, their)
    x = maps()
    torch.testing.assert_close(ours.train(training)(x), theirs.train(training)(x), rtol=0, atol=1e-5)


def test_scse_is_the_formula_of_segmentation_models_pytorch() -> None:
    """SCSEModule, x cSE(x) + x sSE(x) of 1x1 convolutions, with biases of 0.

    The library would be installed for this test alone; from its version 0.6.0 the largest difference is 4.8e-7.
    """
    block, x = ScSE(CHANNELS, width=WIDTH, largest=False), maps()
    drawn(block)
    down, up = (layer.weight[:, :, None, None] for layer in (block.mlp.fc1, block.mlp.fc2))
    pooled = torch.nn.functional.adaptive_avg_pool2d(x, 1)
    channel = nn.functional.conv2d(nn.functional.conv2d(pooled, down).relu(), up).sigmoid()
    position = nn.functional.conv2d(x, block.conv.weight).sigmoid()
    torch.testing.assert_close(block(x), x * channel + x * position, rtol=0, atol=1e-5)
    block.largest = True  # the code of the authors, ai-med/squeeze_and_excitation: torch.max of the two maps
    torch.testing.assert_close(block(x), torch.max(x * channel, x * position), rtol=0, atol=1e-5)


def test_triplet_attention_is_one_gate_on_three_rotated_maps() -> None:
    """The paper's wording: rotate the map, weigh it by its pooled first dimension, rotate it back, average."""
    block, x = TripletAttention(CHANNELS, width=WIDTH).eval(), maps()
    drawn(block)
    total = torch.zeros_like(x)
    for dim, gate in zip((1, 2, 3), block.gates, strict=True):
        rotated = x.transpose(1, dim)
        pooled = torch.cat([rotated.max(1, keepdim=True)[0], rotated.mean(1, keepdim=True)], dim=1)
        kernel: Tensor = gate.conv.weight
        kernel = (
            kernel.transpose(2, 3) if dim == 3 else kernel
        )  # rotated, columns come last where channels did
        logits = gate.norm(nn.functional.conv2d(pooled, kernel, padding=3))
        total += (rotated * logits.sigmoid()).transpose(1, dim)
    torch.testing.assert_close(block(x), total / 3, rtol=0, atol=1e-5)


def test_ema_is_its_figure_group_by_group() -> None:
    """Fig. 3 of arXiv:2305.13563 for one image and group after the other, with matrix products."""
    block, x = MultiScaleAttention(CHANNELS, width=WIDTH), maps()
    drawn(block)
    weighed = []
    for image in x:
        for u in image.split(WIDTH):
            rows = block.conv1x1(u.mean(2)[None, :, :, None])[0].sigmoid()
            columns = block.conv1x1(u.mean(1)[None, :, None, :])[0].sigmoid()
            first = block.norm((u * rows * columns)[None])[0].flatten(1)
            second = block.conv3x3(u[None])[0].flatten(1)
            logits = first.mean(1).softmax(0) @ second + second.mean(1).softmax(0) @ first
            weighed.append(u * logits.sigmoid().view(x.shape[2:]))
    torch.testing.assert_close(block(x), torch.cat(weighed).view_as(x), rtol=0, atol=1e-5)
