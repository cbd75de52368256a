"""The classifier of a network, wherever its definition keeps it."""

from __future__ import annotations

from torch import nn

from senet_core.errors import UserError
from senet_core.units import SEUnit


def classifier_of(model: nn.Module) -> tuple[str, nn.Linear]:
    """Return the path and the layer that makes logits: the last linear one outside of SE blocks.

    Raises:
        UserError: there is none.
    """
    inside = {
        id(layer) for unit in model.modules() if isinstance(unit, SEUnit) for layer in unit.se.modules()
    }
    linear = [
        (path, layer)
        for path, layer in model.named_modules()
        if isinstance(layer, nn.Linear) and id(layer) not in inside
    ]
    if not linear:
        raise UserError("it has no linear classifier")
    return linear[-1]
