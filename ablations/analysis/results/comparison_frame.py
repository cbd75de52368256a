"""Comparisons as a data frame, for programs and notebooks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from ablations.analysis.results.families import SampleFamily
    from ablations.analysis.stats.comparison import Comparison

COLUMNS = (
    "variant",
    "n",
    "difference",
    "lo",
    "hi",
    "p",
    "p_corrected",
    "p_tost_corrected",
    "verdict",
    "more_seeds",
)
"""`difference` is the variant's mean minus the baseline's over `n` common seeds, `lo` and `hi` its 95 % interval;
`p` is over what the verdict rests on, before correction."""


def comparison_frame(comparisons: Iterable[Comparison]) -> pd.DataFrame:
    """Return one row for each comparison, with COLUMNS; what is not known is NaN."""
    rows = [
        (
            c.variant, c.difference.n, c.difference.mean, c.difference.lo, c.difference.hi, c.p,
            c.p_corrected, c.p_tost_corrected, c.reading.verdict, c.more_seeds,
        )
        for c in comparisons
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    numbers = [name for name in COLUMNS if name not in ("variant", "n", "verdict")]
    return frame.astype(dict.fromkeys(numbers, "float64"))


def families_frame(families: Sequence[SampleFamily], by: str) -> pd.DataFrame:
    """Return the comparisons of some families in one frame; its first column, `by`, says of which axis or task.

    The tasks of a study that has several are in a second column, `task`.
    """
    frames = []
    for family in families:
        frames.append(comparison_frame(family.comparisons.values()))
        frames[-1].insert(0, by, family.axis)
        if family.task:
            frames[-1].insert(1, "task", family.task)
    return pd.concat(frames, ignore_index=True)
