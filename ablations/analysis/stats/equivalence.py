"""Equivalence within a declared margin.

Source: Schuirmann 1987, "A comparison of the two one-sided tests procedure and the power approach".
"""

from __future__ import annotations

import math

from scipy import special

from ablations.analysis.stats.paired import PairedDifference
from senet_core.given import check_above_zero

MARGIN = 0.2
"""The smallest effect of interest where none is declared, in points of top-1 error."""

PROBABLY = 0.8
"""The probability of a verdict at which seeds are called enough."""

MOST_SEEDS = 1000
"""Beyond so many seeds no forecast is made."""


def check_margin(margin: float) -> None:
    """Refuse a margin that is not a positive, finite number."""
    check_above_zero("margin", margin)


def tost_p(difference: PairedDifference, margin: float) -> float | None:
    """Return the p of a paired difference beyond +-margin (two one-sided paired t-tests).

    Where all differences are equal there is no t-test; as for differences, the sign-flip test stands in: its p
    is 2^-n inside the margin and 1 outside.

    Args:
        difference: variant minus baseline.
        margin: in the units of the values, above 0.

    Returns:
        The larger of the two one-sided p; None below two pairs.
    """
    check_margin(margin)
    if difference.mean is None or difference.sd is None:
        return None
    room = margin - abs(difference.mean)
    if difference.sd == 0:
        return 2.0**-difference.n if room > 0 else 1.0
    t = room / (difference.sd / math.sqrt(difference.n))
    return float(special.stdtr(difference.n - 1, -t))


def largest_sd(n: int, margin: float, level: float) -> float:
    """Return the spread of differences above which n seeds cannot show equivalence, even at a mean of zero.

    Args:
        n: common seeds, at least 2.
        margin: in the units of the values.
        level: one-sided level of the tests.
    """
    return margin * math.sqrt(n) / float(special.stdtrit(n - 1, 1 - level))
