"""Durations in words."""

from __future__ import annotations


def duration_text(seconds: float) -> str:
    """Return a duration as text: "45 s", "12.3 min", "3.4 h"."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
