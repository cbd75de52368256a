"""What a verdict has to stand beside its test: runs that failed, and runs that are far off.

A t-test takes the runs that it is given. Where some failed, or a few lie far from all others, it can call a variant
better that is not; so what it says must hold by a test that allows for that, too, or it is not said. Both only take
verdicts away.

Source: ablations/analysis/stats/failures.py and shape.py, which have the tests and how often verdicts err without them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ablations.analysis.stats.comparison import Rules
from ablations.analysis.stats.failures import WorstRanks, worst_rank_p
from ablations.analysis.stats.pair_tests import Tested
from ablations.analysis.stats.shape import Shape, shape_of
from ablations.analysis.stats.verdict import Reading
from senet_core.words import counted


@dataclass(frozen=True)
class Guarded:
    """A verdict that has stood the guards, or was taken back, and what they saw.

    Attributes:
        reading: what may be said.
        ranks: the test with failures as the worst results; None where nothing failed.
        shape: of the differences; None without one.
    """

    reading: Reading
    ranks: WorstRanks | None
    shape: Shape | None


def guard(reading: Reading, one: Tested, rules: Rules, *, level: float, typical_sd: float | None) -> Guarded:
    """Return what may be said of a pair, given its failed runs and the shape of its differences.

    Args:
        reading: what its test says.
        one: the pair.
        rules: how it was tested.
        level: at which a test that stands beside must hold, two-sided.
        typical_sd: of the differences of all pairs together; see `typical_spread`.
    """
    values = one.values[np.isfinite(one.values)]
    shape = shape_of(
        values, lower_is_better=rules.lower_is_better, typical_sd=typical_sd, least=rules.margin or 0.0
    )
    ranks = None
    if one.lost or one.won:
        ranks = worst_rank_p(values, one.lost, one.won, both=one.both, lower_is_better=rules.lower_is_better)
    if reading.verdict == "no claim":
        return Guarded(reading, ranks, shape)
    if ranks is not None:
        reading = _with_failures(reading, one, ranks, level)
    if shape is not None and not shape.ordinary:
        reading = _with_shape(reading, shape, level)
    return Guarded(reading, ranks, shape)


def _with_failures(reading: Reading, one: Tested, ranks: WorstRanks, level: float) -> Reading:
    if reading.verdict == "equivalent":
        if one.lost == one.won:
            return _beside(reading, one)
        return _taken_back(reading, f"equivalent without {_failed(one)}")
    if reading.verdict not in ("better", "worse"):
        return _beside(reading, one)
    if not ranks.upholds(reading.verdict == "better", level):
        return _taken_back(reading, f"{reading.verdict} without {_failed(one)}")
    praised = one.lost if reading.verdict == "better" else one.won
    if praised:
        return replace(reading, words=f"{reading.words} (also with {_failed(one)} counted as the worst)")
    return _beside(reading, one)


def _with_shape(reading: Reading, shape: Shape, level: float) -> Reading:
    far = shape.collapses + shape.leaps
    why = f"{counted(far, 'difference')} far off" if far else "the seeds are skewed"
    if reading.verdict in ("better", "worse") and not (shape.skew_p is not None and shape.skew_p <= level):
        return _taken_back(reading, f"{reading.verdict} by the t-test, but {why}")
    if reading.verdict == "equivalent" and far:
        return _taken_back(reading, f"equivalent by the t-tests, but {why}")
    return reading


def _taken_back(reading: Reading, why: str) -> Reading:
    return replace(reading, verdict="undetermined", words=f"undetermined ({why})")


def _beside(reading: Reading, one: Tested) -> Reading:
    """Say beside a verdict that runs failed."""
    return replace(reading, words=f"{reading.words} ({_failed(one)})") if one.lost or one.won else reading


def _failed(one: Tested) -> str:
    """Return "5 runs without a result", with those of the other side where it has some."""
    variant, against = one.lost + one.both, one.won + one.both
    runs = (
        counted(variant, "run")
        if not against
        else f"{counted(variant, 'run')}, and {against} of {one.pair[1]},"
    )
    return f"{runs} without a result"
