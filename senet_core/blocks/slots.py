"""The slots of the design space. Each slot's module registers its entries here."""

from __future__ import annotations

from senet_core.blocks.registry import Registry
from senet_core.errors import UserError

SQUEEZES = Registry("squeeze", optional={"descriptors": 1, "factory": False, "parameters": ""})
"""`descriptors`: how many it gives for each channel; `factory`: whether it is called with the number of channels to
make one, as classes always are; `parameters`: how many it learns for C channels, as people write it."""
EXCITATIONS = Registry("excitation", optional={"factory": False, "parameters": ""})
"""`factory` and `parameters`: as of squeezes."""
GATES = Registry("gate", optional={"descriptors": 1, "learns_at_once": True, "parameters": ""})
"""`descriptors`: how many it takes at once; one that takes 1 serves any squeeze, its logits for each are added;
`learns_at_once`: whether a gradient moves every parameter at the first step, none being behind one that starts at 0;
`parameters`: how many it learns for C channels and a reduction r, without biases, as people write it."""
FUSIONS = Registry("fusion")
GATE_INITS = Registry("gate_init")
INTEGRATIONS = Registry("integration", traits={"gates": ("in", "inner", "out")})
BLOCKS = Registry("block", optional={"parameters": ""})
"""`parameters`: as of gates, with the biases that the block has."""

SLOTS: dict[str, Registry] = {
    "squeeze": SQUEEZES,
    "excitation": EXCITATIONS,
    "gate": GATES,
    "fusion": FUSIONS,
    "gate_init": GATE_INITS,
    "integration": INTEGRATIONS,
    "block": BLOCKS,
}
"""The slots that a variant fills, by the name of the variant's field."""

FORMS = Registry("unit form", also="<>")
"""How to run the blocks of other people's networks with an SE block in them, by "module.Class"; see `forms.py`."""


def check_integration(integration: str, possible: tuple[str, ...] | None, where: str) -> None:
    """Refuse an integration that a network does not have.

    Raises:
        UserError: with what is possible.
    """
    if possible is not None and integration not in possible:
        raise UserError(
            f"integration {integration!r} is not possible in {where}; possible there: {', '.join(possible)}"
        )
