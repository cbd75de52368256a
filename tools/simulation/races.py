"""Racing on made-up studies whose truth is known: how often it errs, and how much compute it saves.

It decides as `race.play` does (a test holds the two together), for many studies at once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ablations.analysis.results.race import prospects_of
from ablations.analysis.stats.holm import holm_rejects
from ablations.analysis.stats.interims.sequential import SPENDING_POWER, ErrorSpending, interim_p
from ablations.planning.designs.race import RaceSettings
from tools.simulation.verdicts import (
    ALPHA,
    FEW_REAL,
    MARGIN,
    VARIANTS,
    Decisions,
    Setting,
    errors_of,
    fixed_design,
    markdown_table,
)

_Floats = NDArray[np.float64]
MOST = (20, 40, 60)
"""Seeds at which a race ends, in the table of savings."""

_FIXED = tuple(range(5, 121))
_SAVING_REPETITIONS = 2000


@dataclass(frozen=True)
class Saving:
    """A race beside fixed designs.

    Attributes:
        rho: share of the variance that a seed's runs share.
        most: seeds at which the race ends.
        right: share of variants with the right verdict in the race.
        used: mean seeds per row in the race, the baseline's included.
        needed: seeds of a fixed design with as many right verdicts.
        right_fixed: share of variants with the right verdict when all rows have `most` seeds.
    """

    rho: float
    most: int
    right: float
    used: float
    needed: float
    right_fixed: float


def race_design(errors: _Floats, margin: float) -> Decisions:
    """Race in many studies at once, with the settings that a study has if it says nothing.

    Args:
        errors: (studies, seeds, 1 + variants), the baseline first.
        margin: smallest effect of interest.
    """
    differences = errors[:, :, 1:] - errors[:, :, :1]
    studies, most, variants = differences.shape
    at = tuple(range(min(RaceSettings().first, most), most + 1))
    spending = ErrorSpending(at, tuple((n / most) ** SPENDING_POWER for n in at))
    shape = (studies, variants)
    p, p_tost = np.ones(shape), np.ones(shape)
    racing, alike = np.ones(shape, dtype=bool), np.zeros(shape, dtype=bool)
    sign, seeds = np.zeros(shape, dtype=np.int8), np.full(shape, most)
    for n in at:
        mean, sd = differences[:, :n].mean(axis=1), differences[:, :n].std(axis=1, ddof=1)
        error = sd / math.sqrt(n)
        now = interim_p(mean / error, n, spending, two_sided=True)
        now_tost = interim_p((margin - np.abs(mean)) / error, n, spending, two_sided=False)
        p, p_tost = (
            np.where(racing, np.minimum(p, now), p),
            np.where(racing, np.minimum(p_tost, now_tost), p_tost),
        )
        differs, same = holm_rejects(p, ALPHA), holm_rejects(p_tost, ALPHA)
        # a retired row's verdict may still come, when others leave it more of the level
        sign = np.where((sign == 0) & differs, np.sign(mean), sign).astype(np.int8)
        alike |= same
        settled = racing & (differs | same)
        hope = prospects_of(mean, sd, n, most, margin, ALPHA / variants) if n < most else 1.0
        leaving = settled | (racing & (hope < RaceSettings().futility))
        seeds = np.where(leaving, n, seeds)
        racing &= ~leaving
    return Decisions(sign, alike, seeds)


def savings(seed: int) -> tuple[Saving, ...]:
    """Compare races with fixed designs on studies with four real effects of 0.3 to 1 points among 12 variants."""
    found = []
    for rho in (0.0, 0.5):
        errors = errors_of(Setting(max(_FIXED), "normal", rho), _SAVING_REPETITIONS, seed)
        errors = errors + np.concatenate([[0.0], FEW_REAL])
        curve = [_right(fixed_design(errors[:, :n], MARGIN, by_flips=False)) for n in _FIXED]
        for most in MOST:
            decided = race_design(errors[:, :most], MARGIN)
            right = _right(decided)
            used = (decided.seeds.sum(axis=1) + decided.seeds.max(axis=1)).mean() / (VARIANTS + 1)
            needed = float(np.interp(right, np.maximum.accumulate(curve), _FIXED))
            found.append(Saving(rho, most, right, float(used), needed, curve[_FIXED.index(most)]))
    return tuple(found)


def savings_table(found: tuple[Saving, ...]) -> str:
    """Return the table of the documentation."""
    heads = [
        "rho", "seeds at most", "right verdicts, race", "right, all rows with all seeds", "mean seeds a row, race",
        "fixed design with as many right verdicts", "compute of the race, of that fixed design",
    ]  # fmt: skip
    rows = [
        [
            f"{s.rho:g}", str(s.most), f"{100 * s.right:.1f} %", f"{100 * s.right_fixed:.1f} %", f"{s.used:.1f}",
            f"{s.needed:.1f} seeds", f"{100 * s.used / s.needed:.0f} %",
        ]
        for s in found
    ]  # fmt: skip
    return markdown_table(heads, rows, words=("rho",))


def _right(decided: Decisions) -> float:
    real = (decided.sign == np.sign(FEW_REAL)) & ~decided.alike
    return float(np.where(FEW_REAL != 0, real, decided.alike).mean())
