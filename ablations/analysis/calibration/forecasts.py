"""How often forecasts of seeds come true: an open comparison gets as many more seeds as were said to settle it."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import special

from ablations.analysis.calibration.judging import judge
from ablations.analysis.calibration.resampling import Noise, draw, target
from ablations.analysis.stats.comparison import Rules
from ablations.analysis.stats.seed_forecast import KnownDifference, second_level, seeds_to_settle

_EFFECTS = (0.0, 0.5, 1.0, 2.0)  # true differences of the row that is asked for, in margins, by turns
_SEED = 2
_Floats = NDArray[np.float64]


def forecasts_that_hold(
    residuals: _Floats, noise: Noise, shape: tuple[int, int], rules: Rules
) -> NDArray[np.bool_]:
    """Return for each forecast of resampled reports whether its seeds brought a verdict.

    One row of each report has a true difference of 0, 0.5, 1 or 2 margins. Where it is open and has a forecast, new
    seeds are drawn, and it is tested as the second of two interim analyses, at the level that the forecast is for.

    Args:
        residuals: (seeds, rows); see `residual_differences`.
        noise: one of NOISES.
        shape: reports, and seeds of each.
        rules: of the report, with one analysis.
    """
    margin, generator = rules.margin, np.random.default_rng(_SEED)
    assert margin is not None
    drawn = draw(residuals, noise, shape, generator)
    rows, studies = residuals.shape[1], np.arange(shape[0])
    lone = target(shape[0], rows)
    effects = margin * np.resize(_EFFECTS, shape[0])
    drawn[studies, :, lone] += effects[:, None]
    judged = judge(drawn, rules)
    is_open = (judged.sign == 0) & ~judged.alike
    level, held = rules.alpha / rows, []
    for study in np.flatnonzero(is_open[studies, lone]):
        before, row = drawn[study], int(lone[study])
        known = [KnownDifference(float(x.mean()), float(x.std(ddof=1)), len(x)) for x in before.T]
        forecast = seeds_to_settle(known, row, margin=margin, level=level)
        if forecast is None or forecast.more is None:
            continue
        new = draw(np.roll(residuals, -row, axis=1), noise, (1, forecast.more), generator)[
            0, :, 0
        ]  # its row is the first
        values = np.concatenate([before[:, row], new + effects[study]])
        held.append(_settled(values, shape[1], margin, level))
    return np.array(held, bool)


def _settled(values: _Floats, before: int, margin: float, level: float) -> bool:
    """Return whether the second of two analyses finds a difference or an equivalence."""
    n, mean = len(values), abs(float(values.mean()))
    error = float(values.std(ddof=1)) / math.sqrt(n)
    differs = 2 * special.stdtr(n - 1, -mean / error) <= second_level(level, before, n, two_sided=True)
    alike = special.stdtr(n - 1, -(margin - mean) / error) <= second_level(level, before, n, two_sided=False)
    return bool(differs or alike)
