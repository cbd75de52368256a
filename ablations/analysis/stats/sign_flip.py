"""The sign-flip permutation test of paired differences, exact up to 40 pairs.

Source: Fisher 1935, "The Design of Experiments", section 21.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from senet_core.errors import UserError

EXACT_SIGN_FLIPS = 40
"""Up to so many differences the p is exact; beyond, it is estimated from random flips."""
_RANDOM_FLIPS = 20_000
_FLIPS_AT_ONCE = 2_000_000  # bounds the memory, 16 MB
_Floats = NDArray[np.float64]


def sign_flip_p(differences: ArrayLike) -> float:
    """Return the p of a permutation test of whether paired differences are centred on zero.

    If variant and baseline were exchangeable, each difference could as well have the other sign. The p is the
    share of all 2^n choices of signs whose sum is at least as far from zero as the sum observed. Exact up to
    n = 40, by enumerating each half of the differences and counting the pairs of halves; beyond, from 20,000
    random choices, drawn alike in every call.

    Args:
        differences: (n,) finite values, at least one.

    Raises:
        UserError: there is no value, one is not finite, or they are not one-dimensional.
    """
    d = np.asarray(differences, dtype=np.float64)
    if d.ndim != 1 or d.size == 0 or not np.isfinite(d).all():
        raise UserError("a sign-flip test needs one column of at least one difference, all of them finite")
    size = float(np.abs(d).max())
    if size == 0:
        return 1.0
    d = np.sort(d / size)  # no overflow, and the same p in any order of the seeds
    reach = abs(float(d.sum())) - 1e-9 * d.size  # sums that are equal up to rounding count as equal
    if reach <= 0:
        return 1.0
    if d.size > EXACT_SIGN_FLIPS:
        return _random_p(d.tobytes(), reach)
    left, right = _signed_sums(d[0::2]), _signed_sums(d[1::2])
    right.sort()
    beyond = right.size - np.searchsorted(right, reach - left, side="left")
    return float(2 * beyond.sum() / 2.0**d.size)


def smallest_sign_flip_p(n: int) -> float:
    """Return the smallest two-sided p that a sign-flip test of n differences can have: 2 / 2^n."""
    return min(1.0, 2.0 ** (1 - n))


def _signed_sums(values: _Floats) -> _Floats:
    """Sums under every choice of signs: (2^n,)."""
    sums = np.zeros(1)
    for value in values:
        sums = np.concatenate([sums - value, sums + value])
    return sums


@lru_cache(maxsize=1024)  # a report asks again for each margin that it shows
def _random_p(column: bytes, reach: float) -> float:
    d = np.frombuffer(column)
    generator = np.random.default_rng(0)
    beyond, left = 0, _RANDOM_FLIPS
    while left:
        rows = min(left, max(1, _FLIPS_AT_ONCE // d.size))
        signs = generator.integers(0, 2, size=(rows, d.size), dtype=np.int8).astype(np.float64) * 2 - 1
        beyond += int((np.abs(signs @ d) >= reach).sum())
        left -= rows
    return (1 + beyond) / (1 + _RANDOM_FLIPS)  # the observed signs are one of the choices
