"""What gate initialisations set: with the last layers at 0 every logit starts at 0, whatever the image."""

from __future__ import annotations

import pytest
import torch

from senet_core.blocks.slots import GATE_INITS, GATES

Z = torch.randn(4, 16, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("gate", ["bottleneck", "bottleneck-linear", "full", "grouped"])
@pytest.mark.parametrize("bias", [False, True])
def test_zeros_last_starts_every_logit_at_zero(gate: str, bias: bool) -> None:
    torch.manual_seed(0)
    network = GATES[gate].build(16, width=4, bias=bias)
    assert network(Z).abs().amax(0).min() > 0  # each logit, of some image
    GATE_INITS["zeros-last"].build(network)
    assert network(Z).eq(0).all()
