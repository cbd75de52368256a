"""What the intervals of a table are, and over what they generalise, in words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ablations.analysis.stats.comparison import Comparison


class IntervalWords(NamedTuple):
    """The words for the intervals of means and of differences, and for what all of it holds over."""

    level: str
    difference: str
    over: str


OVER_SEEDS = IntervalWords("95 % t-interval", "95 % t-interval", "new seeds, on these test data")
_REPEATED = OVER_SEEDS._replace(difference="repeated 95 % interval")
_CROSSED = IntervalWords(
    "95 % interval over new seeds and new test images",
    "95 % interval over new seeds and new test images",
    "new seeds and new test images",
)


def interval_words(comparisons: Iterable[Comparison]) -> IntervalWords:
    """Return the words for comparisons that are made alike."""
    one = next(iter(comparisons), None)
    if one is None:
        return OVER_SEEDS
    if one.schedule is not None:
        return _REPEATED
    return _CROSSED if one.rests_on == "images" else OVER_SEEDS
