"""Each verdict's mark, the same in pictures, pages and terminals: a shape that stays apart in grey, and a colour."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class VerdictMark(NamedTuple):
    """How a verdict looks.

    Attributes:
        symbol: in text.
        marker: in matplotlib's words.
        colour: near those of Okabe and Ito, dark enough for text on white.
        filled: whether the marker is; one that settles nothing is hollow.
    """

    symbol: str
    marker: str
    colour: str
    filled: bool = True


MARKS: Mapping[str, VerdictMark] = {
    "better": VerdictMark("▲", "^", "#0072B2"),
    "worse": VerdictMark("▼", "v", "#C25400"),
    "equivalent": VerdictMark("■", "s", "#007A5A"),
    "undetermined": VerdictMark("○", "o", "#666666", filled=False),
    "no claim": VerdictMark("·", ".", "#666666"),
}
"""By verdict, those that settle something first."""
