"""Comparisons as a data frame, for programs and notebooks."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from ablations.analysis.stats.family import Comparison

COLUMNS = ("variant", "n", "difference", "lo", "hi", "p", "p_holm", "p_tost_holm", "verdict", "more_seeds")
"""`difference` is the variant's mean minus the baseline's over `n` common seeds, `lo` and `hi` its 95 % interval."""


def comparison_frame(comparisons: Iterable[Comparison]) -> pd.DataFrame:
    """Return one row for each comparison, with COLUMNS; what is not known is NaN."""
    rows = [
        (
            c.variant, c.difference.n, c.difference.mean, c.difference.lo, c.difference.hi, c.difference.p,
            c.p_holm, c.p_tost_holm, c.reading.verdict, c.more_seeds,
        )
        for c in comparisons
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    numbers = [name for name in COLUMNS if name not in ("variant", "n", "verdict")]
    return frame.astype(dict.fromkeys(numbers, "float64"))
