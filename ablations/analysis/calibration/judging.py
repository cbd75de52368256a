"""What reports would say of many studies at once: the tests, corrections and guards of `compare_family`, in arrays."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from ablations.analysis.stats.comparison import Rules
from ablations.analysis.stats.family import compare_family
from ablations.analysis.stats.guards import guard
from ablations.analysis.stats.holm import holm_rejects
from ablations.analysis.stats.max_t import FEWEST_PAIRS, max_t_p
from ablations.analysis.stats.pair_tests import Tested
from ablations.analysis.stats.paired import PairedDifference
from ablations.analysis.stats.shape import typical_spread
from ablations.analysis.stats.verdict import Reading, Verdict

_Floats = NDArray[np.float64]
_VERDICTS: tuple[Verdict, ...] = ("better", "worse", "equivalent")


@dataclass(frozen=True)
class Claims:
    """What reports say of every row of every study.

    Attributes:
        sign: (studies, rows), -1 where it is called better, which is a lower value, 1 where worse, else 0.
        alike: (studies, rows), whether it is called equivalent.
        mean: (studies, rows), the estimate.
        lo: (studies, rows), lower end of its 95 % interval; NaN where there is none.
        hi: the upper end.
    """

    sign: NDArray[np.int8]
    alike: NDArray[np.bool_]
    mean: _Floats
    lo: _Floats
    hi: _Floats


def judge(differences: _Floats, rules: Rules, *, only_alike: bool = False) -> Claims:
    """Return what is said of studies under the rules of a report; lower values are better.

    Args:
        differences: (studies, seeds, rows) to the baseline, all finite, none of them without spread.
        rules: with a margin; verdicts rest on seeds. With interim analyses each study goes through `compare_family`.
        only_alike: leave out the tests of differences, which take most of the time.
    """
    if rules.schedule is not None:
        return through_frames(differences, rules)
    assert rules.margin is not None
    n = differences.shape[1]
    mean = differences.mean(axis=1)
    error = differences.std(axis=1, ddof=1) / math.sqrt(n)
    half = float(special.stdtrit(n - 1, (1 + rules.confidence) / 2)) * error
    alike = holm_rejects(special.stdtr(n - 1, -(rules.margin - np.abs(mean)) / error), rules.alpha)
    if only_alike:
        differs = np.zeros(alike.shape, bool)
    elif n < FEWEST_PAIRS:
        differs = holm_rejects(2 * special.stdtr(n - 1, -np.abs(mean) / error), rules.alpha)
    else:
        differs = np.array(
            [
                _by_flips(study, t, rules.alpha)
                for study, t in zip(differences, np.abs(mean) / error, strict=True)
            ]
        )
    sign = np.where(differs & ~alike, np.sign(mean), 0).astype(np.int8)
    _stand_guards(differences, sign, alike, rules)
    return Claims(sign, alike, mean, mean - half, mean + half)


def through_frames(differences: _Floats, rules: Rules) -> Claims:
    """Return the same by `compare_family`, study by study: slow, and with interim analyses, too."""
    studies, seeds, rows = differences.shape
    names = [f"row {row}" for row in range(rows)]
    variant = np.repeat(["baseline", *names], seeds)
    seed = np.tile(np.arange(seeds), rows + 1)
    shape = (studies, rows)
    found = Claims(
        np.zeros(shape, np.int8), np.zeros(shape, bool), *(np.full(shape, np.nan) for _ in range(3))
    )
    for number, study in enumerate(differences):
        values = np.concatenate([np.zeros(seeds), study.T.ravel()])
        frame = pd.DataFrame({"variant": variant, "seed": seed, "value": values})
        for row, c in enumerate(compare_family(frame, [(name, "baseline") for name in names], rules)):
            d, verdict = c.difference, c.reading.verdict
            found.sign[number, row] = {"better": -1, "worse": 1}.get(verdict, 0)
            found.alike[number, row] = verdict == "equivalent"
            for array, value in ((found.mean, d.mean), (found.lo, d.lo), (found.hi, d.hi)):
                array[number, row] = math.nan if value is None else value
    return found


def _by_flips(study: _Floats, t: _Floats, alpha: float) -> NDArray[np.bool_]:
    """Return which rows differ by joint sign flips; the largest t by itself has a p below which no row's can be."""
    if max_t_p(study[:, [int(t.argmax())]])[0] > alpha:
        return np.zeros(len(t), bool)
    return np.array(max_t_p(study)) <= alpha


def _stand_guards(
    differences: _Floats, sign: NDArray[np.int8], alike: NDArray[np.bool_], rules: Rules
) -> None:
    """Take back the verdicts that do not stand what is far off or skewed."""
    n, rows = differences.shape[1:]
    said = (sign != 0) | alike
    for study in np.flatnonzero(said.any(axis=1)):
        typical = typical_spread(differences[study].T)
        for row in np.flatnonzero(said[study]):
            values = differences[study, :, row]
            verdict = _VERDICTS[2 if alike[study, row] else int(sign[study, row] > 0)]
            known = PairedDifference(float(values.mean()), None, n, None, None, None, None)
            tested = Tested(("row", "baseline"), known, values, known.mean, None, None)
            level = rules.alpha / rows
            kept = guard(Reading(verdict, verdict), tested, rules, level=level, typical_sd=typical)
            if kept.reading.verdict != verdict:
                sign[study, row], alike[study, row] = 0, False
