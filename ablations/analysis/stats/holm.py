"""Correction for a family of comparisons.

Source: Holm 1979, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def holm(p_values: Sequence[float | None], members: int | None = None) -> list[float | None]:
    """Return p-values corrected for a family of comparisons (Holm's step-down method).

    Args:
        p_values: between 0 and 1; None, for a comparison that could not be tested, stays None.
        members: of the family, not fewer than were tested; as many as were tested if None.
    """
    tested = [(p, place) for place, p in enumerate(p_values) if p is not None]
    members = len(tested) if members is None else members
    corrected: list[float | None] = [None] * len(p_values)
    highest = 0.0
    for rank, (p, place) in enumerate(sorted(tested)):
        highest = max(highest, min(1.0, p * (members - rank)))
        corrected[place] = highest
    return corrected


def holm_rejects(p: NDArray[np.float64], alpha: float) -> NDArray[np.bool_]:
    """Return which comparisons Holm's method rejects in each of many families at once.

    Args:
        p: (families, members), between 0 and 1.
        alpha: family-wise level.
    """
    order = np.argsort(p, axis=1)
    size = p.shape[1]
    passed = np.take_along_axis(p, order, axis=1) <= alpha / (size - np.arange(size))
    kept = np.logical_and.accumulate(passed, axis=1)
    rejected = np.zeros_like(kept)
    np.put_along_axis(rejected, order, kept, axis=1)
    return rejected
