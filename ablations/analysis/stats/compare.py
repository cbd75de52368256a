"""Paired comparisons and verdicts over seeds, of any frame of (variant, seed, value). Public.

    >>> import pandas as pd
    >>> from ablations.analysis.stats.compare import compare
    >>> scores = pd.DataFrame({
    ...     "variant": ["SE"] * 4 + ["plain"] * 4,
    ...     "seed": [0, 1, 2, 3] * 2,
    ...     "value": [8.1, 8.4, 8.0, 8.3, 8.9, 9.1, 8.9, 9.2],
    ... })
    >>> [comparison] = compare(scores, baseline="SE", margin=0.2)
    >>> comparison.variant, round(comparison.difference.mean, 3), comparison.reading.verdict
    ('plain', 0.825, 'worse')

Two variants with one seed share their start and their batches, so comparisons are made in pairs: the difference is
taken within each seed, and its spread over seeds is what the interval and the tests use. `docs/statistics.md` says
which rules hold, why, and how often they are wrong in simulations.

Verdicts and error. A family is all that is compared in one study, m comparisons. The m differences are corrected
together at `alpha`, by joint sign flips (max_t.py) where every row has 8 pairs or more and by Holm's method below, and
the m equivalence tests by Holm's method at `alpha`: the chance of any wrong "better" or "worse" in the family is at
most alpha, and so is that of any wrong "equivalent". Within one comparison the two need no further division:
no true difference makes both wrong, for "the difference is zero" and "it is at least the margin" exclude each other.

Source: Westfall and Young 1993 for joint flips; Holm 1979, "A simple sequentially rejective multiple test procedure";
Schuirmann 1987 for the two one-sided tests; Goeman, Solari and Stijnen 2010, doi:10.1002/sim.4002, for testing
difference and equivalence of one comparison at the full level.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import TYPE_CHECKING

from ablations.analysis.stats.comparison import Comparison, Rules
from ablations.analysis.stats.family import compare_family
from ablations.analysis.stats.interims.schedule import InterimSchedule
from ablations.analysis.stats.seed_table import check_columns
from senet_core.errors import unknown

if TYPE_CHECKING:
    import pandas as pd


def compare(
    frame: pd.DataFrame,
    baseline: str,
    *,
    variants: Iterable[str] | None = None,
    confidence: float = 0.95,
    alpha: float = 0.05,
    lower_is_better: bool = True,
    margin: float | None = None,
    schedule: InterimSchedule | None = None,
) -> tuple[Comparison, ...]:
    """Compare variants with the baseline, as one family of comparisons.

    Args:
        frame: columns `variant`, `seed`, `value`; one row for each trial. Values that are not finite count as
            missing.
        baseline: the variant that the others are compared with.
        variants: the members of the family, in this order; every other variant of the frame if None.
        confidence: of the intervals, between 0 and 1.
        alpha: family-wise level of each kind of verdict.
        lower_is_better: True for errors and losses.
        margin: smallest effect of interest, in the units of the values, above 0; without it nothing is called
            equivalent.
        schedule: of interim analyses, if there are any: seeds count in rising order. p values are then valid whenever
            one stops, and intervals are repeated ones.

    Raises:
        UserError: a column is missing, a (variant, seed) comes twice, a name is not in the frame, or the margin is
            not above 0.
    """
    others = [name for name in _variants(frame, variants, baseline) if name != baseline]
    rules = Rules(confidence, alpha, lower_is_better, margin, schedule)
    return compare_family(frame, [(name, baseline) for name in others], rules)


def compare_pairs(
    frame: pd.DataFrame,
    *,
    variants: Sequence[str] | None = None,
    confidence: float = 0.95,
    alpha: float = 0.05,
    lower_is_better: bool = True,
    margin: float | None = None,
    schedule: InterimSchedule | None = None,
) -> tuple[Comparison, ...]:
    """Compare every variant with every other, as one family of comparisons: each later one minus each earlier one.

    Args:
        frame: as for `compare`.
        variants: these alone, in this order; all if None.
        confidence: of the intervals, between 0 and 1.
        alpha: family-wise level of each kind of verdict.
        lower_is_better: True for errors and losses.
        margin: smallest effect of interest, in the units of the values, above 0.
        schedule: as for `compare`.

    Raises:
        UserError: as for `compare`.
    """
    pairs = [(later, earlier) for earlier, later in combinations(_variants(frame, variants), 2)]
    return compare_family(frame, pairs, Rules(confidence, alpha, lower_is_better, margin, schedule))


def _variants(frame: pd.DataFrame, chosen: Iterable[str] | None, *more: str) -> list[str]:
    """Return the chosen variants, or all; refuse those that the frame has not."""
    check_columns(frame, "variant")
    known = [str(name) for name in frame["variant"].unique()]
    names = known if chosen is None else list(chosen)
    for name in (*more, *names):
        if name not in known:
            raise unknown("variant", name, known)
    return names
