"""Whole blocks in a network: their gates can be read, their place chosen, and what does not fit is said in a line."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from senet_core import BLOCKS, SEVariant, UserError, build_model
from senet_core.blocks.whole.bam import BAM
from senet_core.blocks.whole_block import WholeBlock

WHOLE = [name for name in BLOCKS if name != "se"]


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("name", WHOLE)
def test_a_block_is_the_map_times_its_gates(name: str, training: bool) -> None:
    torch.manual_seed(0)
    block = WholeBlock(16, width=4, block=name).train(training)
    x = torch.randn(3, 16, 5, 7)
    gates = block.weights(x)
    assert gates.shape in (x.shape, (3, 16, 1, 1))
    assert gates.min() > 0
    torch.testing.assert_close(block(x), x * gates)


@pytest.mark.usefixtures("own_registries")
def test_a_block_that_does_not_say_its_gates_is_named() -> None:
    BLOCKS.register("still", source="ours: a test")(still)
    block = WholeBlock(4, width=2, block="still")
    with pytest.raises(
        UserError, match=r"^block 'still' does not say its gates: its module has no method weights"
    ):
        block.weights(torch.randn(1, 4, 3, 3))


def still(channels: int, *, width: int) -> nn.Module:
    """Build what changes nothing."""
    return nn.Identity()


@pytest.mark.parametrize("name", WHOLE)
def test_only_triplet_attention_has_no_bottleneck(name: str) -> None:
    assert SEVariant(block=name).uses_reduction == (name != "triplet")


def test_bam_stands_between_the_stages() -> None:
    variant = SEVariant(block="bam", integration="post", units="last", stages=[2, 3], reduction=8)
    model = build_model("resnet14", variant, num_classes=10, seed=0)
    assert [n for n, m in model.named_modules() if isinstance(m, BAM)] == [
        "layer1.1.se.body",
        "layer2.1.se.body",
    ]
    assert model(torch.randn(2, 3, 16, 16)).isfinite().all()


def test_groups_that_do_not_divide_the_channels_are_refused() -> None:
    with pytest.raises(
        UserError, match=r"^block 'ema' cannot split 16 channels into groups of 5: choose a reduction"
    ):
        build_model("resnet8", SEVariant(block="ema", reduction=3), num_classes=10)
