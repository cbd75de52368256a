"""A family of comparisons: each one is tested, corrected for all others, and read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ablations.analysis.stats.comparison import Comparison, Correction, Rules
from ablations.analysis.stats.equivalence import check_margin
from ablations.analysis.stats.guards import guard
from ablations.analysis.stats.holm import holm
from ablations.analysis.stats.max_t import FEWEST_PAIRS, max_t_p
from ablations.analysis.stats.pair_tests import (
    NO_OUTCOMES,
    Outcomes,
    Pair,
    Tested,
    pair_tests,
    resting_on_images,
)
from ablations.analysis.stats.paired import PairedDifference
from ablations.analysis.stats.seed_forecast import KnownDifference, seeds_to_settle
from ablations.analysis.stats.shape import typical_spread
from ablations.analysis.stats.verdict import Reading, read

if TYPE_CHECKING:
    import pandas as pd


class TaskFrame(NamedTuple):
    """A frame with the pairs that are compared in it, and the outcomes of its runs where they are known."""

    frame: pd.DataFrame
    pairs: Sequence[Pair]
    outcomes: Outcomes = NO_OUTCOMES


def compare_family(
    frame: pd.DataFrame, pairs: Sequence[Pair], rules: Rules, outcomes: Outcomes = NO_OUTCOMES
) -> tuple[Comparison, ...]:
    """Return the comparison of each pair (variant, against), corrected for all of them.

    Args:
        frame: see `ablations.analysis.stats.compare`.
        pairs: of variants of the frame.
        rules: how they are tested and read.
        outcomes: of the runs, where they are known.

    Raises:
        UserError: a column is missing, a (variant, seed) comes twice, or the margin is not above 0.
    """
    [found] = compare_tasks([TaskFrame(frame, pairs, outcomes)], rules)
    return found


def compare_tasks(tasks: Sequence[TaskFrame], rules: Rules) -> tuple[tuple[Comparison, ...], ...]:
    """Return the comparisons of several frames, corrected for those of all frames together.

    Args:
        tasks: frames with their pairs, each as for `compare_family`.
        rules: how they are tested and read.

    Raises:
        UserError: as for `compare_family`.
    """
    if rules.margin is not None:
        check_margin(rules.margin)
    by_task = [pair_tests(task.frame, task.pairs, rules, task.outcomes) for task in tasks]
    tested = [one for task in by_task for one in task]
    if rules.withheld is not None:
        made = [_withheld(one, rules, rules.withheld, len(tested)) for one in tested]
    else:
        made = _corrected(by_task, rules)
    rest = iter(made)
    return tuple(tuple(next(rest) for _ in task) for task in by_task)


def _corrected(by_task: Sequence[Sequence[Tested]], rules: Rules) -> list[Comparison]:
    over_seeds = [one for task in by_task for one in task]
    on_images = resting_on_images(over_seeds, rules)
    tested = over_seeds if on_images is None else on_images
    # with interim analyses a row whose pairs are still to come counts already: the family must not grow later
    members = None if rules.schedule is None else len(tested)
    flips = on_images is None and _flips_suffice(tested, rules)
    correction: Correction = "max-T" if flips else "Holm"
    p_corrected = _by_flips(by_task) if flips else holm([one.p for one in tested], members)
    tost = holm([one.p_tost for one in tested], members)
    together = max(1, members or sum(p is not None for p in p_corrected))
    level = rules.alpha / together
    of_task = [(place, one.task) for place, task in enumerate(by_task) for one in task]
    spreads = {
        name: typical_spread(one.values for one, own in zip(tested, of_task, strict=True) if own == name)
        for name in set(of_task)
    }
    known = [_known(one, on_images=on_images is not None) for one in tested]
    made = []
    for place, (once, one, p, p_tost) in enumerate(zip(over_seeds, tested, p_corrected, tost, strict=True)):
        typical_sd = spreads[of_task[place]]
        reading = read(
            one.mean, one.difference.n, p, alpha=rules.alpha, lower_is_better=rules.lower_is_better,
            p_tost=p_tost, margin=rules.margin,
        )  # fmt: skip
        guarded = guard(reading, one, rules, level=level, typical_sd=typical_sd)
        # a verdict that was taken back does not wait for seeds, but for runs that do not fail or collapse
        is_open = reading.verdict == "undetermined"
        beyond = is_open and on_images is not None and _beyond(one, rules, level)
        made.append(
            replace(
                _plain(one, guarded.reading, rules), p_corrected=p, p_tost=one.p_tost, p_tost_corrected=p_tost,
                more_seeds=_more_seeds(known, place, rules, level) if is_open and not beyond else None,
                correction=correction, members=together, crossed=one.crossed, beyond_test_set=beyond,
                ranks=guarded.ranks, shape=guarded.shape, paired=one.paired,
                rests_on="seeds" if on_images is None else "images",
                over_seeds=(None, None) if on_images is None else (once.difference.lo, once.difference.hi),
            )
        )  # fmt: skip
    return made


def _plain(one: Tested, reading: Reading, rules: Rules) -> Comparison:
    variant, against = one.pair
    lower = one.difference.lower
    better = lower if lower is None or rules.lower_is_better else lower.other_way()
    return Comparison(
        variant, one.difference, None, reading, against, rules.margin, better=better, schedule=rules.schedule
    )


def _withheld(one: Tested, rules: Rules, why: str, members: int) -> Comparison:
    """Return a comparison that shows how far it is, and nothing that a verdict could be read from."""
    known = one.difference
    bare = PairedDifference(
        known.mean, known.sd, known.n, None, None, None, None, known.only_variant, known.only_baseline
    )
    made = _plain(replace(one, difference=bare), Reading("no claim", why), rules)
    return replace(made, members=members, withheld=True)


def _known(one: Tested, *, on_images: bool) -> KnownDifference:
    floor = one.crossed.floor if on_images and one.crossed is not None else None
    d = one.difference
    return KnownDifference(d.mean or 0.0, d.sd or 0.0, d.n if d.sd else 0, floor or 0.0)


def _more_seeds(known: Sequence[KnownDifference], which: int, rules: Rules, level: float) -> int | None:
    if rules.margin is None or not rules.forecast:
        return None
    found = seeds_to_settle(known, which, margin=rules.margin, level=level)
    return None if found is None else found.more


def _beyond(one: Tested, rules: Rules, level: float) -> bool:
    """Return whether more seeds would not help: the images' part of the error alone is too large."""
    return one.crossed is not None and one.crossed.settled_by_seeds(rules.margin, level) is False


def _flips_suffice(tested: Sequence[Tested], rules: Rules) -> bool:
    """Return whether joint sign flips correct: in one analysis, where every row that is tested has pairs enough."""
    counts = [one.difference.n for one in tested if one.p is not None]
    paired = all(one.paired for one in tested)
    return rules.schedule is None and paired and bool(counts) and min(counts) >= FEWEST_PAIRS


def _by_flips(by_task: Sequence[Sequence[Tested]]) -> list[float | None]:
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
