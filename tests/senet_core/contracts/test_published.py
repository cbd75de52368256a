"""Published blocks keep every contract as they are put together; their pieces alone are examined elsewhere."""

from __future__ import annotations

from functools import partial

import pytest

from senet_core import SLOTS
from senet_core.contracts import contracts_of
from senet_core.contracts.specimens import CHANNELS, WIDTH, Specimen
from senet_core.insertion import made_of
from senet_core.variants.published import PUBLISHED
from senet_core.variants.variant import PAPER_SE

pytestmark = pytest.mark.slow  # minutes in all

OF_PIECES = [name for name, block in PUBLISHED.items() if "block" not in block.fields]


def specimen(name: str) -> Specimen:
    variant = PUBLISHED[name].of(PAPER_SE)
    pieces = [SLOTS[slot][getattr(variant, slot)] for slot in ("squeeze", "gate", "excitation", "gate_init")]
    at_once = variant.gate_init == "torch" and all(
        piece.traits.get("learns_at_once", True) for piece in pieces
    )
    build = partial(made_of, variant, CHANNELS, width=WIDTH)
    return Specimen(name, SLOTS["gate"][variant.gate], CHANNELS, build, learns_at_once=at_once)


@pytest.mark.parametrize("name", OF_PIECES)
def test_every_contract_is_kept(name: str) -> None:
    for contract in contracts_of("gate"):
        contract(specimen(name), "gate")
