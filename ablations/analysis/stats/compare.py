"""Estimates, paired comparisons and verdicts over seeds, of arrays and of any frame of (variant, seed, value). Public.

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
taken within each seed, and its spread over seeds is what the interval and the tests use. Here are

    estimate, describe               means over seeds with t-intervals
    paired_difference                one comparison: interval, t-test, sign-flip test, sizes, what pairing gained
    take_looks, Schedule             tests that stay valid when one looks after every seed
    tost_p, more_seeds               equivalence within a margin; seeds that an open comparison still needs
    holm                             correction for a family of comparisons
    compare, compare_pairs           families of comparisons with verdicts: against a baseline, or all pairs
    interquartile_mean, probability_of_improvement, aggregate     over several tasks (aggregates.py)
    factorial                        main effects and interactions of crossed factors (factorial.py)

`docs/statistics.md` says which rules hold, why, and how often they are wrong in simulations.

Verdicts and error. A family is what one table shows, m comparisons. The m differences are corrected by Holm's method at
`alpha`, and the m equivalence tests by Holm's method at `alpha`: the chance of one or more wrong "better" or "worse" in
a table is at most alpha, and so is that of one or more wrong "equivalent". Within one comparison the two need no
further division: no true difference makes both wrong, for "the difference is zero" and "it is at least the margin"
exclude each other.

Source: Holm 1979, "A simple sequentially rejective multiple test procedure"; Schuirmann 1987 for the two one-sided
tests; Goeman, Solari and Stijnen 2010, doi:10.1002/sim.4002, for testing difference and equivalence of one comparison
at the full level.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING

from ablations.analysis.stats.aggregates import (
    Aggregate,
    Bootstrapped,
    aggregate,
    interquartile_mean,
    probability_of_improvement,
)
from ablations.analysis.stats.equivalence import check_margin, more_seeds, tost_p
from ablations.analysis.stats.factorial import Contrast, Factorial, Term, factorial
from ablations.analysis.stats.holm import holm
from ablations.analysis.stats.paired import (
    Estimate,
    PairedDifference,
    Share,
    estimate,
    paired_difference,
    share,
)
from ablations.analysis.stats.schedule import Schedule, take_looks
from ablations.analysis.stats.sign_flip import sign_flip_p
from ablations.analysis.stats.verdict import Reading, read
from senet_core.errors import UserError, unknown

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Aggregate",
    "Bootstrapped",
    "Comparison",
    "Contrast",
    "Estimate",
    "Factorial",
    "PairedDifference",
    "Reading",
    "Schedule",
    "Share",
    "Term",
    "aggregate",
    "by_seed",
    "compare",
    "compare_pairs",
    "describe",
    "estimate",
    "factorial",
    "holm",
    "interquartile_mean",
    "more_seeds",
    "paired_difference",
    "probability_of_improvement",
    "read",
    "share",
    "sign_flip_p",
    "take_looks",
    "tost_p",
]


@dataclass(frozen=True)
class Comparison:
    """One variant against another, within a family of comparisons.

    Attributes:
        variant: its name.
        difference: variant minus `against`.
        p_holm: `difference.p` corrected for the family; None where there is no p.
        reading: the verdict and its words.
        against: what it is compared with.
        margin: smallest effect of interest, in the units of the values; None if none was declared.
        p_tost: of the two one-sided tests; None without a margin and where there is no test.
        p_tost_holm: `p_tost` corrected for the family.
        more_seeds: for "undetermined": how many more seeds would probably settle it; None where that
            cannot be said or 1,000 would not do.
        better: probability of being better than `against` with the same seed; None without a pair.
        schedule: the looks over which p values and intervals hold; None for one look.
    """

    variant: str
    difference: PairedDifference
    p_holm: float | None
    reading: Reading
    against: str = ""
    margin: float | None = None
    p_tost: float | None = None
    p_tost_holm: float | None = None
    more_seeds: int | None = None
    better: Share | None = None
    schedule: Schedule | None = None


def describe(frame: pd.DataFrame, *, confidence: float = 0.95) -> dict[str, Estimate]:
    """Estimate every variant of a frame.

    Args:
        frame: columns `variant`, `seed`, `value`; one row for each trial.
        confidence: of the intervals, between 0 and 1.

    Raises:
        UserError: a column is missing or a (variant, seed) comes twice.
    """
    wide = by_seed(frame)
    return {str(name): estimate(wide[name].to_numpy(), confidence=confidence) for name in wide.columns}


def compare(
    frame: pd.DataFrame,
    baseline: str,
    *,
    variants: Iterable[str] | None = None,
    confidence: float = 0.95,
    alpha: float = 0.05,
    lower_is_better: bool = True,
    margin: float | None = None,
    schedule: Schedule | None = None,
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
        schedule: for values that are looked at more than once, when: seeds count in rising order. p values are then
            valid whenever one stops, and intervals are repeated ones.

    Raises:
        UserError: a column is missing, a (variant, seed) comes twice, a name is not in the frame, or the margin is
            not above 0.
    """
    known = _variants(frame)
    family = [name for name in (known if variants is None else variants) if name != baseline]
    pairs = [(name, baseline) for name in family]
    named = (baseline, *family)
    return _family(frame, pairs, known, named, confidence, alpha, lower_is_better, margin, schedule)


def compare_pairs(
    frame: pd.DataFrame,
    *,
    variants: Sequence[str] | None = None,
    confidence: float = 0.95,
    alpha: float = 0.05,
    lower_is_better: bool = True,
    margin: float | None = None,
    schedule: Schedule | None = None,
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
    known = _variants(frame)
    chosen = known if variants is None else list(variants)
    pairs = [(later, earlier) for earlier, later in combinations(chosen, 2)]
    return _family(frame, pairs, known, chosen, confidence, alpha, lower_is_better, margin, schedule)


def by_seed(frame: pd.DataFrame) -> pd.DataFrame:
    """Lay out values as one row a seed and one column a variant, in their order of first appearance.

    Raises:
        UserError: a column is missing or a (variant, seed) comes twice.
    """
    for column in ("variant", "seed", "value"):
        if column not in frame.columns:
            raise unknown("column", column, frame.columns)
    twice = frame.duplicated(["variant", "seed"])
    if twice.any():
        first = frame[twice].iloc[0]
        raise UserError(f"variant {first['variant']!r} has seed {first['seed']} more than once")
    wide = frame.pivot(index="seed", columns="variant", values="value")
    return wide[list(frame["variant"].unique())]


def _ended(frame: pd.DataFrame, seeds: Sequence[int]) -> dict[str, int]:
    """Give for each variant how many seeds, up to its last one that has ended, were trained with or without a result.

    A frame may say in a column `ended` which trials have; without it all have.
    """
    done = frame[frame["ended"].astype(bool)] if "ended" in frame.columns else frame
    places = done["seed"].map({seed: place for place, seed in enumerate(seeds)})
    return {str(name): int(last) + 1 for name, last in places.groupby(done["variant"]).max().items()}


def _holm_of_all(ps: Sequence[float | None]) -> list[float | None]:
    corrected = holm([1.0 if p is None else p for p in ps])
    return [None if p is None else c for p, c in zip(ps, corrected, strict=True)]


def _variants(frame: pd.DataFrame) -> list[str]:
    return [str(name) for name in frame["variant"].unique()] if "variant" in frame.columns else []


def _family(
    frame: pd.DataFrame,
    pairs: Sequence[tuple[str, str]],
    known: Sequence[str],
    named: Sequence[str],
    confidence: float,
    alpha: float,
    lower_is_better: bool,
    margin: float | None,
    schedule: Schedule | None = None,
) -> tuple[Comparison, ...]:
    if margin is not None:
        check_margin(margin)
    wide = by_seed(frame)
    for name in named:
        if name not in known:
            raise unknown("variant", name, known)
    columns = {name: wide[name].to_numpy() for name in named}
    differences = [paired_difference(columns[a], columns[b], confidence=confidence) for a, b in pairs]
    ps, means = [d.p for d in differences], [d.mean for d in differences]
    tosts = [None if margin is None else tost_p(d, margin) for d in differences]
    if schedule is not None:
        seeds = [s for s in schedule.order if s in wide.index] or sorted(wide.index)
        ended = _ended(frame, seeds)
        looked = [
            take_looks(
                (wide[a] - wide[b]).reindex(seeds).to_numpy(),
                schedule,
                margin=margin,
                confidence=confidence,
                ended=min(ended.get(a, 0), ended.get(b, 0)),
            )
            for a, b in pairs
        ]
        found = list(zip(differences, looked, strict=True))
        # an interval is of the last look; between two looks there is none
        differences = [
            replace(d, lo=seen.lo, hi=seen.hi) if seen.pairs == d.n else replace(d, lo=None, hi=None)
            for d, seen in found
        ]
        ps, tosts = [seen.p for seen in looked], [seen.p_tost for seen in looked]
        means = [d.mean if seen.mean is None else seen.mean for d, seen in found]
    # where one looks again, a row whose pairs are still to come counts already: the family must not grow later
    correct = holm if schedule is None else _holm_of_all
    p_holm, tosts_holm = correct(ps), correct(tosts)
    tests = zip(pairs, differences, means, p_holm, tosts, tosts_holm, strict=True)
    level = alpha / max(1, sum(p is not None for p in p_holm))
    made = []
    for (variant, against), d, mean, p, tost, tost_holm in tests:
        reading = read(
            mean, d.n, p, alpha=alpha, lower_is_better=lower_is_better, p_tost=tost_holm, margin=margin
        )
        is_open = margin is not None and reading.verdict == "undetermined"
        needed = more_seeds(d, margin, level) if is_open and margin is not None else None
        better = d.lower if d.lower is None or lower_is_better else d.lower.other_way()
        made.append(
            Comparison(variant, d, p, reading, against, margin, tost, tost_holm, needed, better, schedule)
        )  # fmt: skip
    return tuple(made)
