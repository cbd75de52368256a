"""Confirmation: the best row is measured again, on fresh seeds that took no part in the choice.

The best of several rows looks better than it is, because its luck was chosen along with it: the best of 12 equal ones
at 3 seeds by 0.94 standard deviations. Fresh seeds undo that.

Source: Bouthillier et al. 2021, arXiv:2103.03098; "winner's curse" in Andrews, Kitagawa and McCloskey 2024,
"Inference on Winners".
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ablations.analysis.stats.paired import Estimate, PairedDifference, estimate, paired_difference
from ablations.planning.row import Row
from ablations.planning.trial import Trial

if TYPE_CHECKING:
    from ablations.analysis.results.results import Results

_Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Confirmation:
    """The chosen row on the seeds of the choice and on fresh ones.

    Attributes:
        winner: the best row.
        rows: out of how many it was chosen.
        chosen: its mean on the seeds of the choice, in the units of the metric.
        chosen_difference: to the baseline, there; without a value where the winner is the baseline.
        fresh: its mean on fresh seeds.
        fresh_difference: to the baseline, on fresh seeds.
        planned: fresh seeds planned.
    """

    winner: Row
    rows: int
    chosen: Estimate
    chosen_difference: PairedDifference
    fresh: Estimate
    fresh_difference: PairedDifference
    planned: int


def find_winner(results: Results) -> Row | None:
    """Return the best row, by its mean paired difference to the baseline; None before any pair."""
    base = results.design.baseline
    means = {base.label: 0.0} if _errors(results, base).size else {}
    for row in results.design.rows:
        difference = _difference(results, row)
        if row.label != base.label and difference.mean is not None:
            means[row.label] = difference.mean
    sign = 1 if results.design.study.metric.lower_is_better else -1
    best = min(means, key=lambda label: sign * means[label], default=None)
    return next((row for row in results.design.rows if row.label == best), None)


def confirmation_trials(results: Results, ended: Collection[str] = ()) -> tuple[Trial, ...]:
    """Return what a confirmation lacks, once everything else has ended: trials of the winner and of the baseline.

    Args:
        results: the study's; none without `confirm`.
        ended: keys of trials that are not waited for: they failed.
    """
    design = results.design
    winner = find_winner(results) if design.confirm_seeds else None
    if winner is None:
        return ()
    rows = {row.label: row for row in (winner, design.baseline)}.values()
    wanted = (row.trial(seed) for seed in design.confirm_seeds for row in rows)
    return tuple(t for t in wanted if t.key not in results.measured and t.key not in ended)


def confirm(results: Results) -> Confirmation | None:
    """Compare the winner's scores; None where the study confirms nothing, or no fresh seed has been tried."""
    winner = find_winner(results) if results.design.confirm_seeds else None
    if winner is None:
        return None
    fresh, base = (_fresh(results, row) for row in (winner, results.design.baseline))
    tried = results.all_failed.keys() & {winner.key(seed) for seed in results.design.confirm_seeds}
    if not np.isfinite(fresh).any() and not tried:
        return None
    return Confirmation(
        winner,
        len(results.design.rows),
        estimate(_errors(results, winner)),
        _difference(results, winner),
        estimate(fresh),
        paired_difference(fresh, base),
        len(results.design.confirm_seeds),
    )


def _errors(results: Results, row: Row) -> _Floats:
    values = results.values(rows=(row,))["value"].to_numpy(np.float64)
    kept: _Floats = values[np.isfinite(values)]
    return kept


def _difference(results: Results, row: Row) -> PairedDifference:
    base = results.design.baseline
    wide = results.values(rows=tuple({c.label: c for c in (row, base)}.values()))
    table = wide.pivot(index="seed", columns="variant", values="value")
    return paired_difference(table[row.label].to_numpy(), table[base.label].to_numpy())


def _fresh(results: Results, row: Row) -> _Floats:
    lines = [results.measured.get(row.key(seed)) for seed in results.design.confirm_seeds]
    column = results.design.study.metric.column
    found = (None if line is None or line.result is None else line.result.value(column) for line in lines)
    return np.array([np.nan if value is None else value for value in found])
