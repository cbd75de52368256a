"""The five integrations again, with the unit's last batch norm in one pass with what follows it.

Compare with `senet_core/integration.py`, line by line: `unit.unfinished(x)` is the branch up to its last batch norm.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from senet_core.blocks.block import SEBlock
from senet_core.blocks.squeezes.paper import average_squeeze
from senet_core.kernel_hook import norm_add_relu
from senet_core.kernels.fused import functions
from senet_core.kernels.fused.serving import serve

if TYPE_CHECKING:
    from torch import Tensor

    from senet_core.blocks.unit_block import UnitBlock
    from senet_core.units import SEUnit


def standard(unit: SEUnit, g: UnitBlock, x: Tensor) -> Tensor:
    """Compute relu(s(x) + g(f(x)))."""
    y, bn, shortcut = unit.unfinished(x), unit.last_norm, unit.shortcut(x)
    if isinstance(g, SEBlock) and g.squeeze is average_squeeze and g.scales and serve(bn, y, shortcut):
        return functions.norm_gate_add_act(bn, y, g.gates, shortcut)
    return unit.finish(g.scale_add(bn(y), shortcut))


def pre(unit: SEUnit, g: UnitBlock, x: Tensor) -> Tensor:
    """Compute relu(s(x) + f(g(x)))."""
    return norm_add_relu(unit.last_norm, unit.unfinished(g(x)), unit.shortcut(x))


def post(unit: SEUnit, g: UnitBlock, x: Tensor) -> Tensor:
    """Compute g(relu(s(x) + f(x)))."""
    return g(norm_add_relu(unit.last_norm, unit.unfinished(x), unit.shortcut(x)))  # type: ignore[no-any-return]


def identity(unit: SEUnit, g: UnitBlock, x: Tensor) -> Tensor:
    """Compute relu(g(s(x)) + f(x))."""
    return norm_add_relu(unit.last_norm, unit.unfinished(x), g(unit.shortcut(x)))


def conv3x3(unit: SEUnit, g: UnitBlock, x: Tensor) -> Tensor:
    """Compute relu(s(x) + f(x)), g inside f."""
    return norm_add_relu(unit.last_norm, unit.unfinished(x, inside=g), unit.shortcut(x))


INTEGRATIONS: dict[str, Callable[[SEUnit, UnitBlock, Tensor], Tensor]] = {
    "standard": standard,
    "pre": pre,
    "post": post,
    "identity": identity,
    "conv3x3": conv3x3,
}
