"""Each verdict's mark, the same in pictures, pages and terminals: a shape that stays apart in grey, and a colour."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class VerdictMark(NamedTuple):
    """How a verdict looks.

    Attributes:
        symbol: in text.
        marker: in matplotlib's words.
        colour: of Okabe and Ito's palette, or grey.
        filled: whether the marker is; one that settles nothing is hollow.
    """

    symbol: str
    marker: str
    colour: str
    filled: bool = True


MARKS: Mapping[str, VerdictMark] = {
    "better": VerdictMark("▲", "^", "#0072B2"),
    "worse": VerdictMark("▼", "v", "#D55E00"),
    "equivalent": VerdictMark("■", "s", "#009E73"),
    "undetermined": VerdictMark("○", "o", "#777777", filled=False),
    "no claim": VerdictMark("·", ".", "#777777"),
}
"""By verdict, those that settle something first."""
