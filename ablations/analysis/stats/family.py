"""A family of comparisons: each one is tested, corrected for the others, and read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from ablations.analysis.stats.equivalence import check_margin, more_seeds, tost_p
from ablations.analysis.stats.holm import holm
from ablations.analysis.stats.paired import PairedDifference, Share, paired_difference
from ablations.analysis.stats.schedule import InterimSchedule, analyse_interims
from ablations.analysis.stats.seed_table import by_seed
from ablations.analysis.stats.verdict import Reading, read

if TYPE_CHECKING:
    import pandas as pd


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
        schedule: the interim analyses over which p values and intervals hold; None for one analysis.
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
    schedule: InterimSchedule | None = None


class _Tested(NamedTuple):
    """A difference with the p values and the mean that are read."""

    difference: PairedDifference
    mean: float | None
    p: float | None
    p_tost: float | None


def compare_family(
    frame: pd.DataFrame,
    pairs: Sequence[tuple[str, str]],
    *,
    confidence: float,
    alpha: float,
    lower_is_better: bool,
    margin: float | None,
    schedule: InterimSchedule | None,
) -> tuple[Comparison, ...]:
    """Return the comparison of each pair (variant, against); the other arguments are those of `compare`."""
    if margin is not None:
        check_margin(margin)
    wide = by_seed(frame)
    tested = [_test(wide, pair, margin, confidence) for pair in pairs]
    if schedule is not None:
        tested = _test_at_interims(frame, wide, pairs, tested, schedule, margin, confidence)
    # with interim analyses a row whose pairs are still to come counts already: the family must not grow later
    members = None if schedule is None else len(pairs)
    p_holm = holm([one.p for one in tested], members)
    tost_holm = holm([one.p_tost for one in tested], members)
    level = alpha / max(1, sum(p is not None for p in p_holm))
    made = []
    for (variant, against), (d, mean, _, tost), p, p_tost in zip(
        pairs, tested, p_holm, tost_holm, strict=True
    ):
        reading = read(
            mean, d.n, p, alpha=alpha, lower_is_better=lower_is_better, p_tost=p_tost, margin=margin
        )
        is_open = margin is not None and reading.verdict == "undetermined"
        needed = more_seeds(d, margin, level) if is_open and margin is not None else None
        better = d.lower if d.lower is None or lower_is_better else d.lower.other_way()
        made.append(
            Comparison(variant, d, p, reading, against, margin, tost, p_tost, needed, better, schedule)
        )
    return tuple(made)


def _test(wide: pd.DataFrame, pair: tuple[str, str], margin: float | None, confidence: float) -> _Tested:
    d = paired_difference(*(wide[name].to_numpy() for name in pair), confidence=confidence)
    return _Tested(d, d.mean, d.p, None if margin is None else tost_p(d, margin))


def _test_at_interims(
    frame: pd.DataFrame,
    wide: pd.DataFrame,
    pairs: Sequence[tuple[str, str]],
    tested: Sequence[_Tested],
    schedule: InterimSchedule,
    margin: float | None,
    confidence: float,
) -> list[_Tested]:
    """Return what all interim analyses say together of what was tested once."""
    seeds = [s for s in schedule.order if s in wide.index] or sorted(wide.index)
    ended = _ended(frame, seeds)
    found = []
    for (variant, against), once in zip(pairs, tested, strict=True):
        seen = analyse_interims(
            (wide[variant] - wide[against]).reindex(seeds).to_numpy(),
            schedule,
            margin=margin,
            confidence=confidence,
            ended=min(ended.get(variant, 0), ended.get(against, 0)),
        )
        # an interval is of the last interim analysis; between two of them there is none
        lo, hi = (seen.lo, seen.hi) if seen.pairs == once.difference.n else (None, None)
        mean = once.mean if seen.mean is None else seen.mean
        found.append(_Tested(replace(once.difference, lo=lo, hi=hi), mean, seen.p, seen.p_tost))
    return found


def _ended(frame: pd.DataFrame, seeds: Sequence[int]) -> dict[str, int]:
    """Return for each variant how many seeds, up to its last one that has ended, were trained with or without a result.

    A frame may say in a column `ended` which trials have; without it all have.
    """
    done = frame[frame["ended"].astype(bool)] if "ended" in frame.columns else frame
    places = done["seed"].map({seed: place for place, seed in enumerate(seeds)})
    return {str(name): int(last) + 1 for name, last in places.groupby(done["variant"]).max().items()}
