"""The slots of the design space. Each slot's module registers its entries here."""

from __future__ import annotations

from senet_core.blocks.registry import Registry
from senet_core.errors import UserError

SQUEEZES = Registry("squeeze")
EXCITATIONS = Registry("excitation")
GATES = Registry("gate")
INTEGRATIONS = Registry("integration", traits={"gates": ("in", "inner", "out")})

SLOTS: dict[str, Registry] = {
    "squeeze": SQUEEZES,
    "excitation": EXCITATIONS,
    "gate": GATES,
    "integration": INTEGRATIONS,
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
