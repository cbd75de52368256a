"""Integration: where the SE block sits in a residual unit.

With f the residual branch, s the shortcut and g the SE block (arXiv:1709.01507, Fig. 5 and Table 14):
each function below is the line of the figure. `unit.finish` is what the network does after the addition
(a ReLU in ResNets, nothing in pre-activation networks). `gates` says which channels the block weighs:
the unit's input, its output, or those inside the branch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from senet_core.blocks.slots import INTEGRATIONS

if TYPE_CHECKING:
    from torch import Tensor

    from senet_core.blocks.unit_block import UnitBlock
    from senet_core.units import SEUnit


@INTEGRATIONS.register("standard", source="arXiv:1709.01507, Fig. 5b and Table 14", gates="out")
def standard(unit: SEUnit, g: UnitBlock, x: Tensor) -> Tensor:
    """Gate the branch before the addition (and stochastic depth, if any): relu(s(x) + g(f(x)))."""
    return unit.finish(g.scale_add(unit.branch(x, dropped=False), unit.shortcut(x), after=unit.drop))


@INTEGRATIONS.register("pre", source="arXiv:1709.01507, Fig. 5c and Table 14", gates="in")
def pre(unit: SEUnit, g: UnitBlock, x: Tensor) -> Tensor:
    """Gate the branch's input; the shortcut sees x as it came: relu(s(x) + f(g(x)))."""
    return unit.finish(unit.branch(g(x)) + unit.shortcut(x))


@INTEGRATIONS.register("post", source="arXiv:1709.01507, Fig. 5d and Table 14", gates="out")
def post(unit: SEUnit, g: UnitBlock, x: Tensor) -> Tensor:
    """Gate the merged, rectified map; nothing follows: g(relu(s(x) + f(x)))."""
    return g(unit.finish(unit.branch(x) + unit.shortcut(x)))  # type: ignore[no-any-return]


@INTEGRATIONS.register(
    "identity",
    source="arXiv:1709.01507, Fig. 5e and Table 14",
    differs="where the shortcut projects, the gate stands after the projection; the figure leaves it open",
    gates="out",
)
def identity(unit: SEUnit, g: UnitBlock, x: Tensor) -> Tensor:
    """Gate the shortcut only: relu(g(s(x)) + f(x))."""
    return unit.finish(g.scale_add(unit.shortcut(x), unit.branch(x)))


@INTEGRATIONS.register(
    "conv3x3",
    source="arXiv:1709.01507, Table 15 (SE_3x3)",
    differs="after that convolution's batch norm and ReLU; in a basic unit, after the first of its two",
    gates="inner",
)
def conv3x3(unit: SEUnit, g: UnitBlock, x: Tensor) -> Tensor:
    """Gate inside the branch, after the 3x3 convolution."""
    return unit.finish(unit.branch(x, inside=g) + unit.shortcut(x))
