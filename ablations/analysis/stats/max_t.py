"""Correction of several differences at once by joint sign flips: step-down max-T.

If no row differed from the baseline, the differences of a seed could as well all have the other sign. So the whole
vector of a seed is flipped at once, which keeps the correlation between rows that a common baseline and common random
numbers create, and the largest |t| of all rows is compared with what the flips give; then the largest without that row,
and so on. Neither normality nor independence of the rows is supposed, but that differences are symmetric.

Source: Westfall and Young 1993, "Resampling-Based Multiple Testing", algorithm 4.1; Romano and Wolf 2005, "Exact and
approximate stepdown methods for multiple hypothesis testing", doi:10.1198/016214504000000539.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from senet_core.errors import UserError

FEWEST_PAIRS = 8
"""Below so many pairs of a row the smallest p that flips can give is too coarse, and Holm's method finds more."""

_EXACT = 14  # 8,192 flips that are not mirror images of each other
_RANDOM_FLIPS = 20_000
_AT_ONCE = 2_000_000  # values; 16 MB
_Floats = NDArray[np.float64]


def max_t_p(differences: _Floats) -> list[float]:
    """Return the p of each row's differences, corrected for all rows.

    Exact up to 14 seeds; beyond, from 20,000 random flips, drawn alike in every call.

    Args:
        differences: (seeds, rows); NaN where a pair is incomplete.

    Returns:
        (rows,), between 0 and 1; 1 for a row without two pairs.

    Raises:
        UserError: the values are not two-dimensional.
    """
    d = np.asarray(differences, dtype=np.float64)
    if d.ndim != 2:
        raise UserError(f"differences must be seeds by rows, got the shape {d.shape}")
    complete = np.isfinite(d)
    pairs = complete.sum(axis=0)
    d = np.where(complete, d, 0.0)
    size = np.abs(d).max(axis=0, initial=0.0)
    d = d / np.where(size > 0, size, 1.0)
    squares = (d**2).sum(axis=0)
    observed = _squared_t(d.sum(axis=0)[None], squares, pairs)[0]
    order = np.argsort(-observed, kind="stable")
    beyond, flips = np.zeros(d.shape[1]), 0
    for signs in _flips(d.shape[0], d.shape[1]):
        found = _squared_t(signs @ d, squares, pairs)[:, order]
        largest = np.maximum.accumulate(found[:, ::-1], axis=1)[:, ::-1]
        # what is equal up to rounding counts as equal
        beyond += (largest >= observed[order] * (1 - 1e-9)).sum(axis=0)
        flips += len(signs)
    if d.shape[0] > _EXACT:
        beyond, flips = beyond + 1, flips + 1  # the observed signs are one of the choices
    p = np.empty(d.shape[1])
    p[order] = np.maximum.accumulate(beyond / flips)
    return [float(one) for one in np.where(pairs >= 2, p, 1.0)]


def _squared_t(sums: _Floats, squares: _Floats, pairs: NDArray[np.int_]) -> _Floats:
    """Return t squared of sums (flips, rows): it rises with the sum alone, for flips leave the squares as they are."""
    n = np.maximum(pairs, 2)
    explained = sums**2 / n
    rest = (squares - explained) / (n - 1)
    without = rest <= 1e-12 * np.where(squares > 0, squares, 1.0)  # equal differences: rounding, not spread
    t = explained / np.where(without, 1.0, rest)
    return np.where(without, np.where(explained > 0, np.inf, 0.0), t)


def _flips(seeds: int, rows: int) -> list[_Floats]:
    """Return choices of signs, in parts that fit the memory: (flips, seeds)."""
    part = max(1, _AT_ONCE // max(1, seeds, rows))
    signs = _signs(seeds)
    return [signs[start : start + part] for start in range(0, len(signs), part)]


@lru_cache(maxsize=2)  # a calibration asks for the same ones thousands of times
def _signs(seeds: int) -> _Floats:
    if seeds <= _EXACT:
        count = 1 << max(0, seeds - 1)  # the first sign stays: the mirror image has the same |t|
        numbers = np.arange(count)[:, None] << 1
        signs = 1 - 2 * ((numbers >> np.arange(seeds)) & 1).astype(np.float64)
    else:
        generator = np.random.default_rng(0)
        signs = generator.integers(0, 2, size=(_RANDOM_FLIPS, seeds)).astype(np.float64) * 2 - 1
    signs.flags.writeable = False
    return signs
