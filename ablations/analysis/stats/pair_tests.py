"""Tests of pairs of variants, each by itself: over seeds, over interim analyses, and over seeds and test images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ablations.analysis.stats.comparison import Rules
from ablations.analysis.stats.equivalence import tost_p
from ablations.analysis.stats.interims.schedule import InterimSchedule, analyse_interims
from ablations.analysis.stats.outcomes.crossed import CrossedDifference, crossed_difference
from ablations.analysis.stats.paired import PairedDifference, paired_difference
from ablations.analysis.stats.seed_table import by_seed
from ablations.analysis.stats.unpaired import unpaired_difference

if TYPE_CHECKING:
    import pandas as pd

Pair = tuple[str, str]
"""A variant, and what it is compared with."""

Outcomes = Mapping[str, Mapping[int, NDArray[np.bool_]]]
"""By variant and seed: (images,) whether the run got an image right; in the same order for all of them."""

NO_OUTCOMES: Outcomes = {}


@dataclass(frozen=True)
class Tested:
    """A pair with its difference, and the p values that are read.

    Attributes:
        pair: variant, and what it is compared with.
        difference: over seeds.
        values: (seeds of the frame,) the differences; NaN where one of the two has no value.
        mean: the difference that is read: with interim analyses that of the one with the smallest p.
        p: of no difference, before any correction.
        p_tost: of equivalence, likewise.
        crossed: the difference over seeds and test images; None where outcomes are not known.
        lost: seeds in which only the variant failed.
        won: seeds in which only the other failed.
        both: seeds in which both failed.
        paired: False where the two have no seed in common, and are compared by Welch's test.
        task: on which the variant was run; "" where the frame does not say it.
    """

    pair: Pair
    difference: PairedDifference
    values: NDArray[np.float64]
    mean: float | None
    p: float | None
    p_tost: float | None
    crossed: CrossedDifference | None = None
    lost: int = 0
    won: int = 0
    both: int = 0
    paired: bool = True
    task: str = ""


def pair_tests(
    frame: pd.DataFrame, pairs: Sequence[Pair], rules: Rules, outcomes: Outcomes = NO_OUTCOMES
) -> list[Tested]:
    """Test each pair by itself.

    Args:
        frame: columns `variant`, `seed`, `value`, and maybe `ended`: which runs have ended, with a value or as failed.
            Without it each variant is taken to have been run with every seed of the frame. Maybe `task`: on which of
            several tasks a variant was run, whose differences are spread in their own way.
        pairs: of variants of the frame.
        rules: how they are tested.
        outcomes: of the runs, where they are known.

    Raises:
        UserError: a column is missing, or a (variant, seed) comes twice.
    """
    wide = by_seed(frame)
    ended = _ended(frame, wide)
    tasks = dict(zip(frame["variant"], frame["task"], strict=True)) if "task" in frame.columns else {}
    tested = [
        replace(_test(wide, ended, pair, rules, outcomes), task=tasks.get(pair[0], "")) for pair in pairs
    ]
    if rules.schedule is None or rules.withheld is not None:
        return tested
    return _at_interims(frame, wide, tested, rules.schedule, rules)


def resting_on_images(tested: Sequence[Tested], rules: Rules) -> list[Tested] | None:
    """Return the pairs with the p over seeds and images; None where verdicts rest on seeds.

    They rest on images where the rules do not say otherwise, there is one analysis, and every pair that can be tested
    has outcomes.
    """
    if rules.rests_on == "seeds" or rules.schedule is not None:
        return None
    found = []
    for one in tested:
        if one.p is None:
            found.append(one)
        elif one.crossed is None or one.crossed.error is None:
            return None
        else:
            found.append(_on_images(one, one.crossed, rules))
    return found if any(one.p is not None for one in found) else None


def _on_images(one: Tested, crossed: CrossedDifference, rules: Rules) -> Tested:
    p, p_tost = crossed.p, None if rules.margin is None else crossed.tost_p(rules.margin)
    difference = replace(one.difference, lo=crossed.lo, hi=crossed.hi)
    if p is None:  # nothing varies
        return replace(one, difference=difference)
    return replace(one, difference=difference, p=p, p_tost=p_tost)


def _test(wide: pd.DataFrame, ended: pd.DataFrame, pair: Pair, rules: Rules, outcomes: Outcomes) -> Tested:
    variant, against = (wide[name].to_numpy(np.float64) for name in pair)
    measured = np.isfinite(variant), np.isfinite(against)
    if min(side.sum() for side in measured) > 1 and not (measured[0] & measured[1]).any():
        other = unpaired_difference(variant, against, confidence=rules.confidence)
        d, tost = other.difference, None if rules.margin is None else other.tost_p(rules.margin)
        return Tested(pair, d, variant - against, d.mean, d.t_p, tost, paired=False)
    d = paired_difference(variant, against, confidence=rules.confidence)
    tost = None if rules.margin is None else tost_p(d, rules.margin)
    ran = ended[pair[0]].to_numpy(bool) & ended[pair[1]].to_numpy(bool)
    lost, won, both = (
        int((ran & (measured[0] == mine) & (measured[1] == other)).sum())
        for mine, other in ((False, True), (True, False), (False, False))
    )
    seeds = [
        int(seed) for seed, value in zip(wide.index, variant - against, strict=True) if np.isfinite(value)
    ]
    crossed = _crossed(seeds, pair, outcomes, rules)
    return Tested(pair, d, variant - against, d.mean, d.p, tost, crossed, lost, won, both)


def _crossed(seeds: Sequence[int], pair: Pair, outcomes: Outcomes, rules: Rules) -> CrossedDifference | None:
    """Return the difference over seeds and images; None where the outcomes of a seed are not known."""
    tables = []
    for name in pair:
        known = outcomes.get(name, {})
        rows = [known[seed] for seed in seeds if seed in known]
        if len(rows) < max(1, len(seeds)) or len({len(row) for row in rows}) > 1:
            return None
        tables.append(np.stack(rows))
    variant, against = tables
    if variant.shape != against.shape:
        return None
    return crossed_difference(variant, against, confidence=rules.confidence)


def _at_interims(
    frame: pd.DataFrame, wide: pd.DataFrame, tested: Sequence[Tested], schedule: InterimSchedule, rules: Rules
) -> list[Tested]:
    """Return what all interim analyses say together of what was tested once."""
    seeds = [s for s in schedule.order if s in wide.index] or sorted(wide.index)
    reached = _reached(frame, seeds)
    found = []
    for once in tested:
        variant, against = once.pair
        seen = analyse_interims(
            (wide[variant] - wide[against]).reindex(seeds).to_numpy(),
            schedule,
            margin=rules.margin,
            confidence=rules.confidence,
            ended=min(reached.get(variant, 0), reached.get(against, 0)),
        )
        # an interval is of the last interim analysis; between two of them there is none
        at_last = seen.pairs == once.difference.n
        lo, hi = (seen.lo, seen.hi) if at_last else (None, None)
        crossed = _repeated(once.crossed, seen.level if at_last else None)
        mean = once.mean if seen.mean is None else seen.mean
        d = replace(once.difference, lo=lo, hi=hi)
        found.append(replace(once, difference=d, mean=mean, p=seen.p, p_tost=seen.p_tost, crossed=crossed))
    return found


def _repeated(crossed: CrossedDifference | None, level: float | None) -> CrossedDifference | None:
    """Return the difference over seeds and images with the interval of an interim analysis at this level."""
    if crossed is None or crossed.lo is None or crossed.error is None:
        return crossed
    if level is None:
        return replace(crossed, lo=None, hi=None)
    half = crossed.error.half_width(1 - level)
    return replace(crossed, lo=crossed.mean - half, hi=crossed.mean + half, confidence=1 - level)


def _ended(frame: pd.DataFrame, wide: pd.DataFrame) -> pd.DataFrame:
    """Return which runs have ended, laid out as the values."""
    if "ended" not in frame.columns:
        return wide.notna() | True
    told = frame.pivot(index="seed", columns="variant", values="ended").reindex_like(wide)
    return told.eq(True)


def _reached(frame: pd.DataFrame, seeds: Sequence[int]) -> dict[str, int]:
    """Return for each variant how many seeds were trained, up to its last one that has ended, with a result or not."""
    done = frame[frame["ended"].astype(bool)] if "ended" in frame.columns else frame
    places = done["seed"].map({seed: place for place, seed in enumerate(seeds)})
    return {str(name): int(last) + 1 for name, last in places.groupby(done["variant"]).max().items()}
