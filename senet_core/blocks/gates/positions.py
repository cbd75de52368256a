"""Apply a function of the last dimension at every position of a map."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor


def at_positions(of_last: Callable[[Tensor], Tensor], z: Tensor) -> Tensor:
    """Apply a function of vectors to vectors, or to each position of a map.

    Shapes:
        z: (N, C) or (N, C, H, W); returns (N, D) or (N, D, H, W), where the function makes D of C numbers.
    """
    if z.dim() == 2:
        return of_last(z)
    # channels last is a free view of a channels_last map, and one matrix product then serves all positions
    return of_last(z.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
