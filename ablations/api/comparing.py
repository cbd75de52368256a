"""Comparisons of anybody's results: a frame in, a frame out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ablations.analysis.results.comparison_frame import comparison_frame

if TYPE_CHECKING:
    import pandas as pd


def compare(
    frame: pd.DataFrame, *, baseline: str, margin: float | None = None, lower_is_better: bool = True
) -> pd.DataFrame:
    """Compare variants with a baseline, paired by seed, corrected by Holm's method over all of them.

    `Results.from_frame` gives these numbers with their table, plot and report, and compares several tasks.

    Args:
        frame: columns `variant`, `seed`, `value`, one row for each run; a value that is NaN is missing.
        baseline: the variant that the others are compared with.
        margin: smallest effect of interest, in the units of the values; None for no test of equivalence.
        lower_is_better: True for errors and losses.

    Returns:
        One row for each other variant; the columns are those of `Results.compare`, without `axis`.

    Raises:
        UserError: a column is missing, a seed is doubled, or the baseline is not there.
    """
    from ablations.analysis.stats.compare import compare as compared

    return comparison_frame(compared(frame, baseline, margin=margin, lower_is_better=lower_is_better))
