"""Least squares with seeds as blocks: the columns of a factorial model, and fits of any of its terms."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

_Floats = NDArray[np.float64]
_ROUNDING = 1e-9  # what is this small beside the largest is taken as zero: columns are of size one


class DesignMatrix:
    """A row for each trial, and columns for every factor and every product of two.

    Each seed's mean is taken out of values and columns, which is the same as a column for each seed (Frisch and
    Waugh 1933) and stays small with thousands of seeds.

    Args:
        frame: columns `seed`, `value` and the factors; every value finite.
        levels: of each factor, the reference first.
    """

    def __init__(self, frame: pd.DataFrame, levels: Mapping[str, Sequence[str]]) -> None:
        self._codes = {factor: _sum_to_zero(known) for factor, known in levels.items()}
        self._levels = levels
        blocks: dict[tuple[str, ...], _Floats] = {
            (factor,): np.stack([codes[str(level)] for level in frame[factor]])
            for factor, codes in self._codes.items()
        }
        for a, b in combinations(levels, 2):
            blocks[a, b] = np.einsum("ni,nj->nij", blocks[a,], blocks[b,]).reshape(len(frame), -1)
        self.terms = list(blocks)
        ends = np.cumsum([block.shape[1] for block in blocks.values()])
        places = np.split(np.arange(ends[-1]), ends[:-1])
        self._places = dict(zip(self.terms, places, strict=True))
        seeds, which = np.unique(frame["seed"].to_numpy(), return_inverse=True)
        self.seeds = int(seeds.size)
        columns = _centred(np.hstack(list(blocks.values())), which, self.seeds)
        values = _centred(frame["value"].to_numpy(np.float64)[:, None], which, self.seeds)[:, 0]
        self._gram, self._moment = columns.T @ columns, columns.T @ values
        self._total = float(values @ values)
        self._free = len(frame) - self.seeds

    def width(self, term: tuple[str, ...]) -> int:
        """Return the number of columns of a term."""
        return len(self._places[term])

    def contrast(self, term: tuple[str, ...], levels: Sequence[str]) -> _Floats:
        """Return the weights of the columns for levels against their references."""
        steps = [
            self._codes[factor][level] - self._codes[factor][self._levels[factor][0]]
            for factor, level in zip(term, levels, strict=True)
        ]
        weights = np.zeros(len(self._moment))
        weights[self._places[term]] = steps[0] if len(steps) == 1 else np.kron(*steps)
        return weights

    def fit(self, terms: Sequence[tuple[str, ...]]) -> LeastSquaresFit:
        """Return the fit of the model of some terms."""
        kept = [i for term in terms for i in self._places[term]]
        return LeastSquaresFit(self._gram, self._moment, self._total, self._free, kept)


class LeastSquaresFit:
    """A least-squares fit of some columns; where they depend on each other, the shortest solution.

    Attributes:
        rank: columns that do not depend on each other.
        df: residual degrees of freedom.
        residual: sum of squares.
        variance: of the residual; None without degrees of freedom.
    """

    def __init__(self, gram: _Floats, moment: _Floats, total: float, free: int, kept: Sequence[int]) -> None:
        self._kept = list(kept)
        self._gram = gram[np.ix_(self._kept, self._kept)]
        self._inverse = np.linalg.pinv(self._gram, rcond=_ROUNDING, hermitian=True) if kept else self._gram
        part = moment[self._kept]
        self._solution = self._inverse @ part
        self.rank = round(float(np.trace(self._inverse @ self._gram)))
        self.df = free - self.rank
        self.residual = max(0.0, total - float(part @ self._solution))
        self.variance = self.residual / self.df if self.df > 0 else None

    def can_estimate(self, weights: _Floats) -> bool:
        """Return whether a contrast has one value in every solution."""
        if np.delete(weights, self._kept).any():
            return False
        own = weights[self._kept]
        return bool(np.allclose(self._gram @ (self._inverse @ own), own, atol=1e-7))

    def estimate(self, weights: _Floats) -> tuple[float, float | None]:
        """Return a contrast and its standard error; the error is None without degrees of freedom."""
        own = weights[self._kept]
        value = float(own @ self._solution)
        if self.variance is None:
            return value, None
        spread = float(own @ self._inverse @ own)
        return value, math.sqrt(max(0.0, spread) * self.variance)


def _sum_to_zero(levels: Sequence[str]) -> dict[str, _Floats]:
    """One column fewer than levels; the first level is minus one in each."""
    unit = np.eye(len(levels) - 1)
    return {levels[0]: -np.ones(len(levels) - 1)} | {level: unit[i] for i, level in enumerate(levels[1:])}


def _centred(columns: _Floats, which: NDArray[np.intp], groups: int) -> _Floats:
    sums = np.zeros((groups, columns.shape[1]))
    np.add.at(sums, which, columns)
    counts = np.bincount(which, minlength=groups)[:, None]
    return columns - (sums / counts)[which]
