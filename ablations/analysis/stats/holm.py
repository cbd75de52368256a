"""Correction for a family of comparisons.

Source: Holm 1979, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6.
"""

from __future__ import annotations

from collections.abc import Sequence


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
