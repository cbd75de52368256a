"""Squeezes of parts of a map: averages on a coarser grid. The block repeats their gates by nearest neighbour."""

from __future__ import annotations

from typing import TYPE_CHECKING

from senet_core.blocks.slots import SQUEEZES

if TYPE_CHECKING:
    from torch import Tensor

_GE = "arXiv:1810.12348, equation 1 and section 3 (gather-excite without parameters, theta-)"
_TSE = "arXiv:2107.02145, section 3.2 (tiled squeeze-and-excite)"
_TSE_DIFFERS = (
    "where tiles do not divide the map, their gates are spread evenly; the paper cuts the last tile"
)


@SQUEEZES.register("ge2", source=_GE)
def gather_2(x: Tensor) -> Tensor:
    """Average neighbourhoods of extent 2: windows of 3 x 3 around every second position.

    Shapes:
        x: (N, C, H, W); returns (N, C, ceil(H / 2), ceil(W / 2)), in the units of x.
    Source: Hu et al. 2018, arXiv:1810.12348, section 3; with gate `identity`.
    """
    return _gathered(x, 2)


@SQUEEZES.register("ge4", source=_GE)
def gather_4(x: Tensor) -> Tensor:
    """Average neighbourhoods of extent 4: windows of 7 x 7 around every fourth position; see `ge2`."""
    return _gathered(x, 4)


@SQUEEZES.register("ge8", source=_GE)
def gather_8(x: Tensor) -> Tensor:
    """Average neighbourhoods of extent 8: windows of 15 x 15 around every eighth position; see `ge2`."""
    return _gathered(x, 8)


@SQUEEZES.register("tiles4", source=_TSE, differs=_TSE_DIFFERS)
def tiles_4(x: Tensor) -> Tensor:
    """Average tiles of 4 x 4 positions, those at the end of rows and columns smaller.

    Shapes:
        x: (N, C, H, W); returns (N, C, ceil(H / 4), ceil(W / 4)), in the units of x.
    Source: Vosco, Shenkler and Grobman 2021, arXiv:2107.02145, section 3.2.
    """
    return _tiled(x, 4)


@SQUEEZES.register("tiles8", source=_TSE, differs=_TSE_DIFFERS)
def tiles_8(x: Tensor) -> Tensor:
    """Average tiles of 8 x 8 positions; see `tiles4`."""
    return _tiled(x, 8)


def _gathered(x: Tensor, extent: int) -> Tensor:
    from torch.nn.functional import avg_pool2d

    # windows at the border have fewer positions, and average those
    return avg_pool2d(x, 2 * extent - 1, stride=extent, padding=extent - 1, count_include_pad=False)


def _tiled(x: Tensor, size: int) -> Tensor:
    from torch.nn.functional import avg_pool2d

    return avg_pool2d(x, size, stride=size, ceil_mode=True)
