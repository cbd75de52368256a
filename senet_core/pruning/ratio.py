"""The share of channels that is removed, and the number that it comes to."""

from __future__ import annotations

from senet_core.errors import UserError


def check_ratio(ratio: object) -> float:
    """Return a ratio.

    Raises:
        UserError: it is no number above 0 and below 1.
    """
    if isinstance(ratio, bool) or not isinstance(ratio, (int, float)) or not 0 < ratio < 1:
        raise UserError(f"a ratio is the share of channels to remove, above 0 and below 1, got {ratio!r}")
    return float(ratio)


def removed_of(channels: int, ratio: float) -> int:
    """Return how many of a group's channels a ratio removes: rounded, and not all of them."""
    return min(round(ratio * channels), channels - 1)
