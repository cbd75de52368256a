"""The difference of two variants that have no seed in common: Welch's t-test.

Source: Welch 1947, "The generalization of 'Student's' problem when several different population variances are
involved"; Satterthwaite 1946 for its degrees of freedom.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from ablations.analysis.stats.paired import PairedDifference


@dataclass(frozen=True)
class UnpairedDifference:
    """The difference of two means over different seeds.

    Attributes:
        difference: with Welch's interval and p; its `n` is the smaller of the two numbers of values.
        se: standard error of the mean difference; None below two values on a side and without spread.
        df: degrees of freedom; None likewise.
    """

    difference: PairedDifference
    se: float | None
    df: float | None

    def tost_p(self, margin: float) -> float | None:
        """Return the larger p of the two one-sided tests against -margin and +margin; None where there is no test."""
        if self.se is None or self.df is None or self.difference.mean is None:
            return None
        return float(special.stdtr(self.df, -(margin - abs(self.difference.mean)) / self.se))


def unpaired_difference(
    variant: ArrayLike, baseline: ArrayLike, *, confidence: float = 0.95
) -> UnpairedDifference:
    """Return a variant's mean minus the baseline's, their seeds being different ones.

    Args:
        variant: values, one a seed; what is not finite is left out.
        baseline: likewise, of other seeds.
        confidence: of the interval, between 0 and 1.
    """
    a, b = (np.asarray(x, dtype=np.float64) for x in (variant, baseline))
    a, b = a[np.isfinite(a)], b[np.isfinite(b)]
    mean = float(a.mean() - b.mean()) if a.size and b.size else None
    n, counts = min(a.size, b.size), (int(a.size), int(b.size))
    parts = [float(x.var(ddof=1)) / x.size for x in (a, b) if x.size > 1]
    se = math.sqrt(sum(parts)) if len(parts) == 2 else 0.0
    if mean is None or se <= 1e-12 * max(np.abs(a).max(), np.abs(b).max()):
        return UnpairedDifference(
            PairedDifference(mean, None, n, None, None, None, None, *counts), None, None
        )
    df = se**4 / sum(part**2 / (size - 1) for part, size in zip(parts, counts, strict=True))
    half = float(special.stdtrit(df, (1 + confidence) / 2)) * se
    p = float(2 * special.stdtr(df, -abs(mean) / se))
    found = PairedDifference(mean, None, n, mean - half, mean + half, p, None, *counts, confidence=confidence)
    return UnpairedDifference(found, se, df)
