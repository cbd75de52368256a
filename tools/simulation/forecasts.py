"""How often forecasts of more seeds come true, on made-up studies whose truth is known.

Studies of 12 comparisons with one baseline; what is open at n seeds gets as many new seeds as the forecast says, and is
tested as the second of two analyses.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy import special

from ablations.analysis.stats.seed_forecast import KnownDifference, second_level, seeds_to_settle
from tools.simulation.verdicts import ALPHA, MARGIN, VARIANTS, markdown_table

SD_OF_DIFFERENCES = 0.35
SPREADS = (0.0, 0.5, 1.0)
"""Standard deviations of the true effects, in those of a difference over seeds."""

_SEEDS = (5, 10)
_Floats = NDArray[np.float64]


@dataclass(frozen=True)
class HitRate:
    """How often forecasts came true.

    Attributes:
        seeds: of the first analysis.
        spread: of the true effects, in standard deviations of a difference.
        forecasts: how many there were.
        hits: share of them with a verdict at the second analysis.
        median: of the forecast numbers of seeds.
    """

    seeds: int
    spread: float
    forecasts: int
    hits: float
    median: float


def hit_rate(seeds: int, spread: float, *, studies: int, seed: int) -> HitRate:
    """Make studies, forecast what is open, and add the seeds.

    Args:
        seeds: of the first analysis.
        spread: standard deviation of the true effects, in those of a difference.
        studies: how many.
        seed: of the random numbers.
    """
    generator, sd, level = np.random.default_rng([seed, 3]), SD_OF_DIFFERENCES, ALPHA / VARIANTS
    hits, asked = 0, []
    for _ in range(studies):
        truth = spread * sd * generator.standard_normal(VARIANTS)
        runs = sd / math.sqrt(2) * generator.standard_normal((VARIANTS + 1, seeds))
        seen = truth[:, None] + runs[1:] - runs[0]
        known = [KnownDifference(float(d.mean()), float(d.std(ddof=1)), seeds) for d in seen]
        for place, d in enumerate(seen):
            if _settled(d, level, level):
                continue
            forecast = seeds_to_settle(known, place, margin=MARGIN, level=level)
            if forecast is None or forecast.more is None:
                continue
            new = truth[place] + sd * generator.standard_normal(forecast.more)
            total = seeds + forecast.more
            levels = (second_level(level, seeds, total, two_sided=two_sided) for two_sided in (True, False))
            hits += _settled(np.concatenate([d, new]), *levels)
            asked.append(forecast.more)
    return HitRate(seeds, spread, len(asked), hits / max(1, len(asked)), float(np.median(asked)))


def forecast_table(studies: int, seed: int) -> str:
    """Return the table of the documentation."""
    heads = ["true effects", "seeds at first", "open comparisons", "came true", "median of the forecasts"]
    rows = []
    for spread, seeds in product(SPREADS, _SEEDS):
        found = hit_rate(seeds, spread, studies=studies, seed=seed)
        truth = "all zero" if spread == 0 else f"sd {spread:g} of a difference's"
        hits = f"{100 * found.hits:.0f} %"
        rows.append([truth, str(seeds), f"{found.forecasts:,}", hits, f"{found.median:.0f} seeds"])
    return markdown_table(heads, rows, words=("true effects",))


def _settled(d: _Floats, two: float, one: float) -> bool:
    error, df, size = d.std(ddof=1) / math.sqrt(d.size), d.size - 1, abs(d.mean())
    differs = 2 * special.stdtr(df, -size / error) <= two
    return bool(differs or special.stdtr(df, (size - MARGIN) / error) <= one)
