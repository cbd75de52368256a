"""How often resampled reports are wrong, cover, and find what is there, with the error of the simulation.

Source: Gelman and Carlin 2014, "Beyond power calculations: assessing Type S (sign) and Type M (magnitude) errors",
doi:10.1177/1745691614551642, for the exaggeration of what is found, and how often it has the wrong sign.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ablations.analysis.calibration.forecasts import forecasts_that_hold
from ablations.analysis.calibration.judging import Claims, judge
from ablations.analysis.calibration.resampling import Noise, draw, target
from ablations.analysis.stats.comparison import Rules
from ablations.running.record.calibrations import NoiseRates, Rate

EFFECTS = (0.5, 1.0, 2.0)
"""True differences whose discovery is counted, in margins."""
OVERSTATED = (0.5, 1.0)
"""Those whose exaggeration and wrong signs are counted."""

_FEWER = 10  # a forecast takes as long as many reports
_AT_ONCE = 250  # studies; bounds the memory
_SEED = 1
_Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Resampling:
    """What is resampled.

    Attributes:
        residuals: (seeds, rows); see `residual_differences`.
        seeds: of each resampled report.
        resamples: reports of each kind.
        rules: of the report.
    """

    residuals: _Floats
    seeds: int
    resamples: int
    rules: Rules


def noise_rates(resampling: Resampling, noise: Noise) -> NoiseRates:
    """Return the figures under one kind of noise, the same in every call.

    Keys: `wrong_difference`, `coverage` and `alike` where all rows are equal to the baseline; `wrong_equivalence`
    where all are at the margin, on either side by turns; and where one row has a true effect of E margins, to either
    side by turns, `found_E`, the share that is called what it is, better or worse, `exaggeration_E`, the mean of
    |estimate| over |effect| among those called better or worse, and `wrong_sign_E`, the share of these with the wrong
    sign. `forecast` is the share of forecasts of more seeds that came true, of a tenth of the reports; see
    `forecasts_that_hold`.
    """
    margin = resampling.rules.margin
    assert margin is not None
    rows = resampling.residuals.shape[1]
    generator = np.random.default_rng(_SEED)
    drawn = draw(resampling.residuals, noise, (resampling.resamples, resampling.seeds), generator)
    lone = target(resampling.resamples, rows)
    side = np.where(np.arange(resampling.resamples) // rows % 2, -1.0, 1.0)
    rates = [*_equal(_judged(drawn, 0.0, resampling)), *_at_margin(drawn, margin, resampling)]
    for effect in EFFECTS:
        truth = np.zeros((resampling.resamples, rows))
        truth[np.arange(resampling.resamples), lone] = effect * margin * side
        judged = _judged(drawn, truth[:, None, :], resampling)
        rates += _lone(judged, lone, effect * margin * side, f"_{effect:g}", effect in OVERSTATED)
    if resampling.rules.schedule is None:  # others are not forecast: they go on until their last analysis
        asked = max(20, resampling.resamples // _FEWER)
        shape = (asked, resampling.seeds)
        held = forecasts_that_hold(resampling.residuals, noise, shape, resampling.rules)
        rates.append(share_rate("forecast", int(held.sum()), held.size))
    return NoiseRates(noise, tuple(rates))


def share_rate(key: str, count: int, n: int) -> Rate:
    """Return a share with its standard error, which is not 0 where none or all were counted (Laplace's rule)."""
    if n == 0:
        return Rate(key, None, None, 0)
    smooth = (count + 1) / (n + 2)
    return Rate(key, count / n, math.sqrt(smooth * (1 - smooth) / n), n)


def _judged(
    drawn: _Floats, truth: _Floats | float, resampling: Resampling, *, only_alike: bool = False
) -> Claims:
    moved = drawn + truth
    parts = [
        judge(moved[start : start + _AT_ONCE], resampling.rules, only_alike=only_alike)
        for start in range(0, len(moved), _AT_ONCE)
    ]
    return Claims(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("sign", "alike", "mean", "lo", "hi")
        )
    )


def _equal(judged: Claims) -> Iterator[Rate]:
    yield share_rate("wrong_difference", int((judged.sign != 0).any(axis=1).sum()), len(judged.sign))
    known = np.isfinite(judged.lo)
    covers = (judged.lo <= 0) & (judged.hi >= 0)
    yield _mean_rate("coverage", covers, known)
    yield _mean_rate("alike", judged.alike, np.ones_like(known))


def _at_margin(drawn: _Floats, margin: float, resampling: Resampling) -> Iterator[Rate]:
    truth = np.where(np.arange(drawn.shape[2]) % 2, -margin, margin)
    judged = _judged(drawn, truth, resampling, only_alike=True)
    yield share_rate("wrong_equivalence", int(judged.alike.any(axis=1).sum()), len(judged.alike))


def _lone(
    judged: Claims, row: NDArray[np.intp], effect: _Floats, end: str, overstated: bool
) -> Iterator[Rate]:
    studies = np.arange(len(row))
    sign, mean = judged.sign[studies, row], judged.mean[studies, row]
    right, said = sign == np.sign(effect), sign != 0
    yield share_rate(f"found{end}", int(right.sum()), len(row))
    if overstated:
        ratio = np.abs(mean[said] / effect[said])
        some = ratio.size > 1
        error = float(ratio.std(ddof=1)) / math.sqrt(ratio.size) if some else None
        yield Rate(f"exaggeration{end}", float(ratio.mean()) if ratio.size else None, error, int(ratio.size))
        yield share_rate(f"wrong_sign{end}", int((said & ~right).sum()), int(said.sum()))


def _mean_rate(key: str, hits: NDArray[np.bool_], counted: NDArray[np.bool_]) -> Rate:
    """Return a share over studies and rows; rows of one study go together, so its error is that over studies."""
    n = int(counted.sum())
    if n == 0:
        return Rate(key, None, None, 0)
    value = float((hits & counted).sum()) / n
    away = ((hits - value) * counted).sum(axis=1)
    error = math.sqrt(float((away**2).sum())) / n
    return Rate(key, value, error or share_rate(key, round(value * n), n).error, n)
