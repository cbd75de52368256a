"""Limits on the size of a study: a slip (seeds: 10000) is refused before time is spent on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ablations.planning.study import Study

MOST_ROWS = 5_000
MOST_TRIALS = 100_000
MOST_PAIRS = 5_000
"""Unfolding a study at these limits takes some seconds."""


def shown_sizes(study: Study) -> str:
    """Return the beginning of a refusal: which study, which design, how many values its axes have."""
    sizes = ", ".join(str(len(values)) for values in study.varied.values())
    return f"study {study.name!r}: design {study.design!r} of axes with {sizes} values"


def count_text(count: int) -> str:
    """Return a count with its thousands marked, or "more than" where nobody reads the digits."""
    return f"{count:,}" if count < 10**15 else f"more than {10**15:,}"
