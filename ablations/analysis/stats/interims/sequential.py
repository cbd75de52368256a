"""Group-sequential paired t-tests: interim analyses that spend one error together.

A study that is analysed while seeds are added, and stopped where a verdict is in, errs far more often than its level
says if each analysis uses the fixed test: with one after each of 3 to 20 seeds, 24 % of equal variants come out
"better" or "worse" once. Here every interim analysis has a boundary of its own, such that the chance of ever crossing
one is the level, and a part of the level is spent at each. From the boundaries of all levels follows a p at each
analysis, the smallest level whose boundary is crossed there; the smallest p so far is valid whenever one stops, and
goes into Holm's method like any other.

The boundaries are those of t statistics with unknown variance, exact at every number of seeds but for the numerical
grid: if the differences are normal (or spherically symmetric) around zero, t after n + 1 of them depends on the past
through t after n of them alone. Given t_n, the next difference, in units of the length of the first n, is Student's t
with n degrees of freedom over the root of n, independent of the direction that t_n measures; so the law of t_(n+1)
given t_n has a closed form, and the chance of crossing no boundary is a product of matrices.

Source: Lan and DeMets 1983, "Discrete sequential boundaries for clinical trials"; Kim and DeMets 1987, "Design and
analysis of group sequential tests based on the type I error spending rate function", for powers of the share of seeds;
Jennison and Turnbull 2000, "Group Sequential Methods", chapters 9 (repeated intervals) and 11 (t-tests); Ye, Li, Liu
and Yao 2013, doi:10.1002/sim.5700, for Holm's method with group-sequential tests; Hall, Wijsman and Ghosh 1965, "The
relationship between sufficiency and invariance", why t_n says all that the past can.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import special

from senet_core.errors import UserError

_Floats = NDArray[np.float64]

SPENDING_POWER = 2.0
"""The share of the error that is spent by n of N seeds is (n / N) to this power."""

_EDGE, _STEP = 7.5, 0.025
_EDGES: _Floats = np.linspace(-_EDGE, _EDGE, 2 * round(_EDGE / _STEP) + 1, dtype=np.float64)
_MIDDLES: _Floats = (_EDGES[:-1] + _EDGES[1:]) / 2
_LEVELS = np.concatenate([np.geomspace(1e-9, 0.05, 90), np.geomspace(0.055, 0.999, 40)])
SMALLEST_P = float(_LEVELS[0])
"""No smaller p is told apart."""


@dataclass(frozen=True)
class ErrorSpending:
    """At how many pairs a comparison is analysed, and how much of the error is spent by then.

    Attributes:
        at: numbers of paired seeds, rising, from 2.
        spent: shares of the error spent up to and with each analysis, not falling, above 0 and at most 1.

    Raises:
        UserError: one of them is not so.
    """

    at: tuple[int, ...]
    spent: tuple[float, ...]

    def __post_init__(self) -> None:
        rising = list(self.at) == sorted(set(self.at)) and list(self.spent) == sorted(self.spent)
        if not (self.at and rising and len(self.at) == len(self.spent) and self.at[0] >= 2):
            raise UserError(
                f"looks must rise and start at 2 seeds or later, got {self.at} spending {self.spent}"
            )
        if not (self.spent[0] > 0 and self.spent[-1] <= 1):
            raise UserError(f"shares of the error lie above 0 and at most at 1, got {self.spent}")


def interim_p(t: _Floats, n: int, spending: ErrorSpending, *, two_sided: bool) -> _Floats:
    """Return the smallest level at which the boundary of the analysis at n pairs is crossed, in the shape of `t`.

    Args:
        t: statistics of any shape; one-sided tests reject large ones.
        n: one of `spending.at`.
        spending: of all analyses.
        two_sided: whether small statistics count like large ones.
    """
    score = _score(np.abs(t) if two_sided else t, n - 1)
    boundary = _boundaries(spending, two_sided)[spending.at.index(n)]
    # boundaries fall with the level; np.interp wants rising ones
    p: _Floats = np.exp(np.interp(-score, -boundary, np.log(_LEVELS)))
    return np.where(score < boundary[-1], 1.0, p)


def boundary(level: float, n: int, spending: ErrorSpending, *, two_sided: bool) -> float:
    """Return the t statistic to exceed in the analysis at n pairs for the level to be kept over all analyses."""
    found = _boundaries(spending, two_sided)[spending.at.index(n)]
    score = float(np.interp(np.log(level), np.log(_LEVELS), found))
    return float(-special.stdtrit(n - 1, special.ndtr(-score)))


def _score(t: _Floats, df: int) -> _Floats:
    """Turn a t statistic into the normal score with the same tail."""
    tail = special.stdtr(df, -np.abs(t))
    score: _Floats = -np.sign(t) * special.ndtri(tail)
    return np.clip(score, -_EDGE, _EDGE)


def _statistic(score: _Floats, df: int) -> _Floats:
    t: _Floats = -np.sign(score) * special.stdtrit(df, special.ndtr(-np.abs(score)))
    return t


@lru_cache(maxsize=64)
def _boundaries(spending: ErrorSpending, two_sided: bool) -> _Floats:
    """Normal scores of the boundaries: (analyses, levels), falling with the level."""
    found = np.empty((len(spending.at), len(_LEVELS)))
    mass = np.tile(np.diff(special.ndtr(_EDGES)), (len(_LEVELS), 1))
    n, before = spending.at[0], 0.0
    for place, (at, spent) in enumerate(zip(spending.at, spending.spent, strict=True)):
        while n < at:
            mass, n = mass @ _transition(n), n + 1
        found[place] = _cut(mass, _LEVELS * (spent - before), two_sided)
        before = spent
    return np.maximum.accumulate(found[:, ::-1], axis=1)[:, ::-1]


def _cut(mass: _Floats, spend: _Floats, two_sided: bool) -> _Floats:
    """Find where the tail beyond holds what is to be spent, for each level, and remove that tail."""
    tail = np.cumsum(mass[:, ::-1], axis=1)[:, ::-1]
    if two_sided:
        tail = tail + np.cumsum(mass, axis=1)[:, ::-1]
    tail = np.concatenate([tail, np.zeros((len(mass), 1))], axis=1)  # beyond each edge
    scores = np.empty(len(mass))
    for row, wanted in enumerate(spend):
        scores[row] = _edge_of(tail[row], wanted, 0.0 if two_sided else -_EDGE)
    kept = np.clip((scores[:, None] - _EDGES[:-1]) / _STEP, 0, 1)
    mass *= kept
    if two_sided:
        mass *= kept[:, ::-1]
    return scores


def _edge_of(tail: _Floats, wanted: float, least: float) -> float:
    place = int(np.searchsorted(-tail, -wanted, side="right"))  # the first edge beyond which less is left
    if wanted <= 0 or place > len(_MIDDLES):
        return _EDGE
    if place == 0:
        return least
    share = (tail[place - 1] - wanted) / (tail[place - 1] - tail[place])
    return max(least, float(_EDGES[place - 1] + share * _STEP))


@lru_cache(maxsize=32)
def _transition(n: int) -> _Floats:
    """Chances to go from each cell of the score of t_n to each cell of that of t_(n+1)."""
    half = len(_MIDDLES) // 2  # the other half is the mirror image
    beyond = np.ones((half, len(_EDGES)))
    beyond[:, -1] = 0.0
    t = _statistic(_MIDDLES[half:], n - 1)
    edges = _statistic(_EDGES[half:-1], n)  # from 0
    beyond[:, half:-1] = _exceeds(t, edges, n)
    beyond[:, 1:half] = 1 - _exceeds(-t, edges[:0:-1], n)
    upper = np.maximum(beyond[:, :-1] - beyond[:, 1:], 0.0)
    return np.concatenate([upper[::-1, ::-1], upper])


def _exceeds(t: _Floats, edge: _Floats, n: int) -> _Floats:
    """P(t_(n+1) > edge | t_n = t) for edges from 0, as (t, edge).

    With x the next difference over the length of the first n, a = sum / length of the first n and c the sum over the
    length that belongs to the edge, the condition is a + x > c sqrt(1 + x^2), a quadratic in x.
    """
    a = (np.sqrt(n) * t / np.sqrt(t**2 + n - 1))[:, None]
    square = (n + 1) * edge**2 / (edge**2 + n)
    room = n * (1 - edge**2) / (edge**2 + n)  # 1 - c^2
    room = np.where(np.abs(room) < 1e-9, 1e-9, room)
    discriminant = 1 + a**2 - square
    root = np.sqrt(square * np.maximum(discriminant, 0))
    chance: _Floats = special.stdtr(n, (a - root) / room * np.sqrt(n))
    beyond_one = room < 0  # there the condition holds between two roots, and for no x at all where a is small
    reachable = (discriminant > 0) & (a > 0) & beyond_one
    upper = special.stdtr(n, ((a + root) / room * np.sqrt(n))[reachable])
    chance[reachable] -= upper
    chance[~reachable & beyond_one] = 0.0
    return chance
