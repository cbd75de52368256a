"""What tuning each row's recipe changed: the errors, and the differences to the baseline."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ablations.analysis.results.account import ALPHA
from ablations.analysis.stats.holm import holm
from ablations.analysis.stats.paired import Estimate, PairedDifference, estimate, paired_difference
from ablations.analysis.stats.seed_table import by_seed
from ablations.analysis.stats.verdict import FEWEST_SEEDS

if TYPE_CHECKING:
    import pandas as pd

    from ablations.analysis.results.results import Results


@dataclass(frozen=True)
class Effect:
    """A paired difference over seeds, and what it shows.

    Attributes:
        difference: with its interval, taken alone.
        p_corrected: corrected (Holm) over the rows; None where there is no test.
    """

    difference: PairedDifference
    p_corrected: float | None

    @property
    def is_shown(self) -> bool:
        """Whether it is shown not to be zero."""
        p, n = self.p_corrected, self.difference.n
        return p is not None and p <= ALPHA and n >= FEWEST_SEEDS and self.difference.mean != 0


@dataclass(frozen=True)
class TunedRow:
    """A row with the study's recipe and with its own, over the same seeds.

    Attributes:
        label: of the row.
        fixed: its error with the study's recipe.
        tuned: its error with the recipe that was chosen for it.
        gain: tuned minus fixed.
        change: by how much the row's difference to the baseline is larger with tuned recipes; None for the baseline.
    """

    label: str
    fixed: Estimate
    tuned: Estimate
    gain: Effect
    change: Effect | None


def tuned_rows(results: Results) -> tuple[TunedRow, ...]:
    """Compare every row of a tuned study with itself under the study's recipe; none where that is not trained.

    Each of the two questions, whether an error changed and whether a difference to the baseline did, is corrected over
    the rows that it is asked of. Nothing is tested before every planned trial has ended.
    """
    if results.fixed is None:
        return ()
    tuned, fixed = (by_seed(each.values()) for each in (results, results.fixed))
    base = results.design.baseline.label
    rows = [row.label for row in results.design.rows]
    ready = results.withheld is None and results.fixed.withheld is None
    gains = _effects([paired_difference(*_pair(tuned[row], fixed[row])) for row in rows], ready=ready)
    others = [row for row in rows if row != base]
    changes = _effects(
        [paired_difference(*_pair(tuned[row] - tuned[base], fixed[row] - fixed[base])) for row in others],
        ready=ready,
    )
    changed = dict(zip(others, changes, strict=True))
    return tuple(
        TunedRow(
            row,
            estimate(fixed[row].to_numpy(np.float64)),
            estimate(tuned[row].to_numpy(np.float64)),
            gain,
            changed.get(row),
        )
        for row, gain in zip(rows, gains, strict=True)
    )


def _pair(one: pd.Series[float], other: pd.Series[float]) -> tuple[pd.Series[float], pd.Series[float]]:
    """Return two columns over the seeds of both."""
    one, other = one.align(other)
    return one, other


def _effects(differences: list[PairedDifference], *, ready: bool) -> list[Effect]:
    if not ready:
        return [Effect(replace(d, lo=None, hi=None, t_p=None, flip_p=None), None) for d in differences]
    corrected = holm([difference.p for difference in differences])
    return [Effect(difference, p) for difference, p in zip(differences, corrected, strict=True)]
