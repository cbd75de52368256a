"""Some images of a data set, for the programs of this folder."""

from __future__ import annotations

from torch import Tensor


def spread(values: Tensor, count: int) -> Tensor:
    """Return so many of a data set's images or labels, evenly spread: prepared data may be sorted by class."""
    return values[:: max(len(values) // count, 1)][:count]
