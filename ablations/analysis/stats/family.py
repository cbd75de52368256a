"""A family of comparisons: each one is tested, corrected for all others, and read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ablations.analysis.stats.comparison import Comparison, Correction, Rules
from ablations.analysis.stats.equivalence import check_margin, more_seeds, tost_p
from ablations.analysis.stats.holm import holm
from ablations.analysis.stats.max_t import FEWEST_PAIRS, max_t_p
from ablations.analysis.stats.paired import PairedDifference, paired_difference
from ablations.analysis.stats.schedule import InterimSchedule, analyse_interims
from ablations.analysis.stats.seed_table import by_seed
from ablations.analysis.stats.verdict import Reading, read

if TYPE_CHECKING:
    import pandas as pd

Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class _Tested:
    """A difference with the p values and the mean that are read, and its values by seed."""

    pair: tuple[str, str]
    difference: PairedDifference
    values: NDArray[np.float64]
    mean: float | None
    p: float | None
    p_tost: float | None


def compare_family(frame: pd.DataFrame, pairs: Pairs, rules: Rules) -> tuple[Comparison, ...]:
    """Return the comparison of each pair (variant, against), corrected for all of them.

    Args:
        frame: see `ablations.analysis.stats.compare`.
        pairs: of variants of the frame.
        rules: how they are tested and read.

    Raises:
        UserError: a column is missing, a (variant, seed) comes twice, or the margin is not above 0.
    """
    [found] = compare_tasks([(frame, pairs)], rules)
    return found


def compare_tasks(
    tasks: Sequence[tuple[pd.DataFrame, Pairs]], rules: Rules
) -> tuple[tuple[Comparison, ...], ...]:
    """Return the comparisons of several frames, corrected for those of all frames together.

    Args:
        tasks: frames with their pairs, each as for `compare_family`.
        rules: how they are tested and read.

    Raises:
        UserError: as for `compare_family`.
    """
    if rules.margin is not None:
        check_margin(rules.margin)
    by_task = [_tested(frame, pairs, rules) for frame, pairs in tasks]
    tested = [one for task in by_task for one in task]
    if rules.withheld is not None:
        made = [_withheld(one, rules, rules.withheld, len(tested)) for one in tested]
    else:
        made = _corrected(by_task, rules)
    rest = iter(made)
    return tuple(tuple(next(rest) for _ in task) for task in by_task)


def _tested(frame: pd.DataFrame, pairs: Pairs, rules: Rules) -> list[_Tested]:
    wide = by_seed(frame)
    once = [_test(wide, pair, rules) for pair in pairs]
    if rules.schedule is None or rules.withheld is not None:
        return once
    return _test_at_interims(frame, wide, once, rules.schedule, rules)


def _corrected(by_task: Sequence[Sequence[_Tested]], rules: Rules) -> list[Comparison]:
    tested = [one for task in by_task for one in task]
    # with interim analyses a row whose pairs are still to come counts already: the family must not grow later
    members = None if rules.schedule is None else len(tested)
    correction: Correction = "max-T" if _flips_suffice(tested, rules) else "Holm"
    p_corrected = _by_flips(by_task) if correction == "max-T" else holm([one.p for one in tested], members)
    tost = holm([one.p_tost for one in tested], members)
    together = max(1, members or sum(p is not None for p in p_corrected))
    made = []
    for one, p, p_tost in zip(tested, p_corrected, tost, strict=True):
        reading = read(
            one.mean, one.difference.n, p, alpha=rules.alpha, lower_is_better=rules.lower_is_better,
            p_tost=p_tost, margin=rules.margin,
        )  # fmt: skip
        needed = _more_seeds(one.difference, reading, rules, together)
        plain = _plain(one, reading, rules)
        made.append(
            replace(
                plain, p_corrected=p, p_tost=one.p_tost, p_tost_corrected=p_tost, more_seeds=needed,
                correction=correction, members=together,
            )
        )  # fmt: skip
    return made


def _plain(one: _Tested, reading: Reading, rules: Rules) -> Comparison:
    variant, against = one.pair
    lower = one.difference.lower
    better = lower if lower is None or rules.lower_is_better else lower.other_way()
    return Comparison(
        variant, one.difference, None, reading, against, rules.margin, better=better, schedule=rules.schedule
    )


def _withheld(one: _Tested, rules: Rules, why: str, members: int) -> Comparison:
    """Return a comparison that shows how far it is, and nothing that a verdict could be read from."""
    bare = replace(one.difference, lo=None, hi=None, t_p=None, flip_p=None, effect=None, lower=None)
    bare = replace(bare, rho=None, gain=None)
    return replace(
        _plain(replace(one, difference=bare), Reading("no claim", why), rules), members=members, withheld=True
    )


def _more_seeds(difference: PairedDifference, reading: Reading, rules: Rules, members: int) -> int | None:
    if rules.margin is None or reading.verdict != "undetermined":
        return None
    return more_seeds(difference, rules.margin, rules.alpha / members)


def _flips_suffice(tested: Sequence[_Tested], rules: Rules) -> bool:
    """Return whether joint sign flips correct: in one analysis, where every row that is tested has pairs enough."""
    counts = [one.difference.n for one in tested if one.p is not None]
    return rules.schedule is None and bool(counts) and min(counts) >= FEWEST_PAIRS


def _by_flips(by_task: Sequence[Sequence[_Tested]]) -> list[float | None]:
    """Return the corrected p of each comparison, the seeds of each task being flipped by themselves."""
    columns = sum(len(task) for task in by_task)
    blocks, place = [], 0
    for task in by_task:
        block = np.full((len(task[0].values) if task else 0, columns), np.nan)
        for one in task:
            block[:, place] = one.values
            place += 1
        blocks.append(block)
    found = max_t_p(np.concatenate(blocks))
    tested = [one.p is not None for task in by_task for one in task]
    return [p if known else None for p, known in zip(found, tested, strict=True)]


def _test(wide: pd.DataFrame, pair: tuple[str, str], rules: Rules) -> _Tested:
    variant, against = (wide[name].to_numpy(np.float64) for name in pair)
    d = paired_difference(variant, against, confidence=rules.confidence)
    tost = None if rules.margin is None else tost_p(d, rules.margin)
    return _Tested(pair, d, variant - against, d.mean, d.p, tost)


def _test_at_interims(
    frame: pd.DataFrame,
    wide: pd.DataFrame,
    tested: Sequence[_Tested],
    schedule: InterimSchedule,
    rules: Rules,
) -> list[_Tested]:
    """Return what all interim analyses say together of what was tested once."""
    seeds = [s for s in schedule.order if s in wide.index] or sorted(wide.index)
    ended = _ended(frame, seeds)
    found = []
    for once in tested:
        variant, against = once.pair
        seen = analyse_interims(
            (wide[variant] - wide[against]).reindex(seeds).to_numpy(),
            schedule,
            margin=rules.margin,
            confidence=rules.confidence,
            ended=min(ended.get(variant, 0), ended.get(against, 0)),
        )
        # an interval is of the last interim analysis; between two of them there is none
        lo, hi = (seen.lo, seen.hi) if seen.pairs == once.difference.n else (None, None)
        mean = once.mean if seen.mean is None else seen.mean
        d = replace(once.difference, lo=lo, hi=hi)
        found.append(replace(once, difference=d, mean=mean, p=seen.p, p_tost=seen.p_tost))
    return found


def _ended(frame: pd.DataFrame, seeds: Sequence[int]) -> dict[str, int]:
    """Return for each variant how many seeds, up to its last one that has ended, were trained with or without a result.

    A frame may say in a column `ended` which trials have; without it all have.
    """
    done = frame[frame["ended"].astype(bool)] if "ended" in frame.columns else frame
    places = done["seed"].map({seed: place for place, seed in enumerate(seeds)})
    return {str(name): int(last) + 1 for name, last in places.groupby(done["variant"]).max().items()}
