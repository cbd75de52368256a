"""How many parameters `ablate list` says an entry learns is how many it learns."""

from __future__ import annotations

import re

import pytest
from torch import nn

from senet_core import BLOCKS, EXCITATIONS, GATES, SQUEEZES
from senet_core.blocks.block import _with_channels
from senet_core.blocks.gates.eca import kernel_size
from senet_core.blocks.registry import Registry

REDUCTION = 4


def value(said: str, channels: int) -> float:
    """Return the value of a formula such as "2C²/r + 2C/r"."""
    assert re.fullmatch(r"[\dCkr²/+ ]+", said)
    python = re.sub(r"(\d)C", r"\1*C", said).replace("²", "**2")
    found = eval(python, {}, {"C": channels, "r": REDUCTION, "k": kernel_size(channels)})
    return float(found)


def learned(module: object) -> int:
    return sum(p.numel() for p in module.parameters()) if isinstance(module, nn.Module) else 0


@pytest.mark.parametrize("channels", [16, 128])
@pytest.mark.parametrize("name", GATES)
def test_of_gates(name: str, channels: int) -> None:
    gate = GATES[name].build(channels, width=channels // REDUCTION, bias=False)
    assert learned(gate) == value(GATES[name].traits["parameters"], channels)


@pytest.mark.parametrize("channels", [16, 128])
@pytest.mark.parametrize("name", BLOCKS)
def test_of_whole_blocks(name: str, channels: int) -> None:
    block = BLOCKS[name].build(channels, width=channels // REDUCTION)
    assert learned(block) == value(BLOCKS[name].traits["parameters"], channels)


@pytest.mark.parametrize("channels", [16, 128])
@pytest.mark.parametrize(
    ("slot", "name"), [(slot, name) for slot in (SQUEEZES, EXCITATIONS) for name in slot]
)
def test_of_squeezes_and_excitations(slot: Registry, name: str, channels: int) -> None:
    assert learned(_with_channels(slot[name], channels)) == value(
        slot[name].traits["parameters"] or "0", channels
    )
