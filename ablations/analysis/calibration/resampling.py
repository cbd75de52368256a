"""Differences to the baseline as a study's own noise makes them, without any true effect.

What is resampled are residuals: the values without row and seed effects. Only their differences to the baseline count,
in which a seed's effect cancels; each row's own differences less their mean, so that skew and collapse stay, and all
rows of a seed together, so that their correlation stays.

Residuals of C seeds spread too little, for their means are taken away: they are multiplied by (C / (C - 1))^(1/2), by
which resampled differences have the variance that the study's have. (A residual of R rows by itself would need the
factor (R C / ((R - 1) (C - 1)))^(1/2); but what the seed's mean takes away, it takes from variant and baseline alike.)

They are too regular, too: a t-test of five values that were drawn from five is wrong far more often than one of five
new ones. So each seed that is drawn is moved by a random mixture of all of the study's seeds, of a size
h = 1.06 C^(-1/5), Silverman's, and divided by (1 + h^2)^(1/2): variance and correlation stay, and skew becomes smaller
by (1 + h^2)^(-3/2). Of normal noise, 12 rows and n = C seeds, resampled reports have a wrong verdict in 20.8, 16.0,
10.8 and 8.7 % of cases with 5, 6, 8 and 10 seeds as they are, and in 5.1, 5.5, 5.6 and 5.9 % so, where new values give
4.0, 4.4, 4.8 and 4.8 %; their intervals cover in 90.6, 91.6, 93.2 and 93.8 %, and in 94.2, 94.3, 94.5 and 94.6 % (150
studies, 200 reports of each).

Source: Davison and Hinkley 1997, "Bootstrap Methods and their Application", chapter 6, for resampled residuals;
Silverman and Young 1987, "The bootstrap: to smooth or not to smooth?", for the smoothed one that keeps the variance.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special

from ablations.planning.metric import Metric

Noise = Literal["as found", "one row collapses", "skewed"]
NOISES: tuple[Noise, ...] = ("as found", "one row collapses", "skewed")
"""As found in the study; with one row that is 10 points worse in 10 % of its seeds, and better by a point in all of
them, so that its mean is as before; and exponential differences, spread and correlated like the study's."""

FEWEST_SEEDS = 5
"""With fewer seeds that every row has, residuals say nothing of their noise."""

COLLAPSE = 10.0
"""By how much a row collapses, in points; in other units than per cent by 50 margins, which is as much by default."""

_OFTEN = 0.1
_Floats = NDArray[np.float64]


def collapse_of(metric: Metric, margin: float) -> float:
    """Return by how much a row collapses, in the units of a metric's differences."""
    return COLLAPSE if metric.unit == "%" else 50 * margin


def residual_differences(values: _Floats) -> _Floats:
    """Return the residual differences to the baseline, spread as the study's differences are.

    Args:
        values: (seeds, rows), all finite, the baseline first.

    Returns:
        (seeds, rows - 1), each column with a mean of zero.
    """
    differences: _Floats = values[:, 1:] - values[:, :1]
    seeds = len(values)
    residuals: _Floats = (differences - differences.mean(axis=0)) * math.sqrt(seeds / (seeds - 1))
    return residuals


def draw(residuals: _Floats, noise: Noise, shape: tuple[int, int], generator: np.random.Generator) -> _Floats:
    """Draw the differences of studies in which all rows are equal.

    Args:
        residuals: see `residual_differences`.
        noise: one of NOISES.
        shape: studies, and seeds of each.
        generator: of the random numbers.

    Returns:
        (studies, seeds, rows); where one row collapses, it is that of `target`.
    """
    if noise == "skewed":
        return _exponential(residuals, shape, generator)
    found = _smoothed(residuals, shape, generator)
    if noise == "one row collapses":
        often = generator.random(shape) < _OFTEN
        studies = np.arange(shape[0])
        found[studies, :, target(shape[0], residuals.shape[1])] += COLLAPSE * (often - _OFTEN)
    return found


def target(studies: int, rows: int) -> NDArray[np.intp]:
    """Return the row of each study that has an effect, or collapses: one after the other."""
    return np.arange(studies) % rows


def _smoothed(residuals: _Floats, shape: tuple[int, int], generator: np.random.Generator) -> _Floats:
    seeds = len(residuals)
    width = 1.06 * seeds**-0.2
    drawn = residuals[generator.integers(0, seeds, shape)]
    moved: _Floats = (drawn + width * _mixtures(residuals, shape, generator)) / math.sqrt(1 + width**2)
    return moved


def _mixtures(residuals: _Floats, shape: tuple[int, int], generator: np.random.Generator) -> _Floats:
    """Draw normal noise with the residuals' covariance."""
    seeds = len(residuals)
    mixed: _Floats = generator.standard_normal((*shape, seeds)) @ residuals / math.sqrt(seeds)
    return mixed


def _exponential(residuals: _Floats, shape: tuple[int, int], generator: np.random.Generator) -> _Floats:
    """Draw exponential noise whose ranks are correlated as those of normal noise with the residuals' covariance."""
    spread = np.sqrt((residuals**2).mean(axis=0))
    ranks = special.log_ndtr(-_mixtures(residuals, shape, generator) / spread)
    drawn: _Floats = spread * (-ranks - 1)
    return drawn
