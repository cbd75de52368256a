"""A gate without a bottleneck has no units and no reduction to speak of, whatever its variant says."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from senet_core import GATES, SEVariant, build_model
from senet_core.backbones import find_backbone
from senet_core.blocks.reads import gate_reads_width
from senet_core.insertion import bottleneck_widths
from senet_core.variants.label import variant_label


class Direct(nn.Module):
    """One layer."""

    def __init__(self, channels: int, *, width: int, bias: bool) -> None:
        super().__init__()
        self.layer = nn.Linear(channels, channels, bias=bias)

    def forward(self, z: Tensor) -> Tensor:
        logits: Tensor = self.layer(z)
        return logits


class Narrowed(Direct):
    """One layer that keeps as many logits as the width says: its parameters do not show it."""

    def __init__(self, channels: int, *, width: int, bias: bool) -> None:
        super().__init__(channels, width=width, bias=bias)
        self.width = width

    def forward(self, z: Tensor) -> Tensor:
        logits = super().forward(z)
        return torch.where(torch.arange(logits.shape[1]) < self.width, logits, torch.zeros(()))


def failing(channels: int, *, width: int, bias: bool) -> nn.Module:
    """Build nothing."""
    raise OSError("no such file")


@pytest.mark.usefixtures("own_registries")
@pytest.mark.parametrize(
    ("build", "expected"),
    [(GATES["bottleneck"].build, True), (Direct, False), (Narrowed, True), (failing, True)],
    ids=["bottleneck", "direct", "narrowed", "failing"],
)
def test_what_a_gate_does_with_its_width_is_found_out(
    build: Callable[..., nn.Module], expected: bool
) -> None:
    GATES.register("asked", source="ours: a test")(build)
    assert gate_reads_width("asked") is expected


@pytest.mark.usefixtures("own_registries")
def test_a_gate_without_a_bottleneck_has_neither_r_nor_units() -> None:
    GATES.register("direct", source="ours: a test")(Direct)
    GATES.register("narrowed", source="ours: a test")(Narrowed)
    assert variant_label(SEVariant(gate="direct", reduction=8)) == "SE direct"
    assert variant_label(SEVariant(gate="narrowed", reduction=8)) == "SE narrowed r=8"
    for gate, found in (("direct", {}), ("narrowed", {2: (2,), 3: (4,), 4: (8,)})):
        model = build_model("resnet8", SEVariant(gate=gate, reduction=8), num_classes=10)
        assert bottleneck_widths(model, find_backbone("resnet8").stages) == found
