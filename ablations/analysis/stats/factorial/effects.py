"""Crossed factors: main effects and two-factor interactions, with seeds as blocks.

The model is least squares of the value on the seed (block), the factors and the products of two factors, each factor
in sum-to-zero coding. A main effect of a level is its mean minus the reference level's, averaged evenly over the
levels of the other factors. An interaction of two levels is a difference of differences: how much more the one level
changes the value where the other factor has its level than where it has its reference. Intervals are t-intervals of
the pooled residual, which trusts that the noise is alike in all cells once the seed's own level is taken out.

A fractional design may not let all interactions be told apart. What is not estimable beside all others is estimated
with the other interactions taken as nil (`alone`), and what is not estimable even so is listed, not guessed.

Source: Fisher 1935, "The Design of Experiments", chapters 6 and 7; F of each term by type II sums of squares.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, product
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import special

from ablations.analysis.stats.equivalence import check_margin
from ablations.analysis.stats.factorial.least_squares import DesignMatrix, LeastSquaresFit
from ablations.analysis.stats.holm import holm
from ablations.analysis.stats.seed_table import check_columns
from ablations.analysis.stats.verdict import FEWEST_SEEDS
from senet_core.errors import UserError, unknown

if TYPE_CHECKING:
    import pandas as pd

_Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Contrast:
    """A main effect of one level, or an interaction of two levels.

    Attributes:
        factors: one factor, or two.
        levels: a level of each.
        reference: what each level is compared with.
        value: in the units of the values.
        lo: lower end of the t-interval; None without residual degrees of freedom.
        hi: upper end.
        p: two-sided.
        p_holm: corrected over all main effects, or over all interactions.
        p_tost_holm: of lying within the margin, corrected likewise; None without a margin.
        words: "better", "worse", "equivalent" or "undetermined" for a main effect; "present", "equivalent" (to none)
            or "undetermined" for an interaction.
        alone: whether the other interactions were taken as nil.
    """

    factors: tuple[str, ...]
    levels: tuple[str, ...]
    reference: tuple[str, ...]
    value: float
    lo: float | None
    hi: float | None
    p: float | None
    p_holm: float | None
    p_tost_holm: float | None
    words: str
    alone: bool


@dataclass(frozen=True)
class Term:
    """A whole factor or product of two: its F-test, whose p is corrected over all terms."""

    factors: tuple[str, ...]
    df: int
    f: float
    p: float
    p_holm: float


@dataclass(frozen=True)
class Factorial:
    """What a factorial experiment shows.

    Attributes:
        effects: main effects.
        interactions: two-factor interactions.
        terms: F-tests, where a term can be told apart from all others.
        not_estimable: factors whose effect, or pairs whose interaction, the design cannot show.
        sd: of the residual; None without residual degrees of freedom.
        df: residual degrees of freedom of the full model.
        seeds: blocks.
        departure: F-test of all that main effects leave unsaid about the cells trained, interactions of any order; None
            where the cells have no degrees of freedom for it. It also sees what a fractional design cannot locate.
    """

    effects: tuple[Contrast, ...]
    interactions: tuple[Contrast, ...]
    terms: tuple[Term, ...]
    not_estimable: tuple[tuple[str, ...], ...]
    sd: float | None
    df: int
    seeds: int
    departure: Term | None = None


def factorial(
    frame: pd.DataFrame,
    factors: Sequence[str],
    *,
    reference: Mapping[str, str] | None = None,
    margin: float | None = None,
    alpha: float = 0.05,
    confidence: float = 0.95,
    lower_is_better: bool = True,
) -> Factorial:
    """Return main effects and interactions of crossed factors.

    Args:
        frame: columns `seed`, `value` and one for each factor; one row for each trial. Values that are not finite
            count as missing.
        factors: columns of the frame, each with at least two levels.
        reference: level of each factor that the others are compared with; the first to appear if not given.
        margin: smallest effect of interest, in the units of the values.
        alpha: family-wise level of each kind of statement.
        confidence: of the intervals, between 0 and 1.
        lower_is_better: True for errors and losses.

    Raises:
        UserError: a column is missing, a factor has one level, a reference is not a level, or nothing is measured.
    """
    if margin is not None:
        check_margin(margin)
    check_columns(frame, "seed", "value", *factors)
    frame = frame[np.isfinite(frame["value"].to_numpy(np.float64))]
    if frame.empty:
        raise UserError("no value is measured")
    levels = {factor: [str(level) for level in frame[factor].unique()] for factor in factors}
    for factor, known in levels.items():
        if len(known) < 2:
            raise UserError(f"factor {factor!r} has one level, {known[0]!r}; at least two are needed")
        chosen = (reference or {}).get(factor, known[0])
        if chosen not in known:
            raise unknown(f"level of {factor}", chosen, known)
        known.sort(key=lambda level: level != chosen)  # the reference first, the others as they were
    matrix = DesignMatrix(frame, levels)
    full = matrix.fit(matrix.terms)
    made = _Analysis(matrix, levels, full, margin, alpha, confidence, lower_is_better)
    singles, pairs = [(factor,) for factor in factors], list(combinations(factors, 2))
    effects, missing = made.contrasts(singles)
    interactions, missing_pairs = made.contrasts(pairs)
    return Factorial(
        effects, interactions, made.terms(), (*missing, *missing_pairs),
        math.sqrt(full.variance) if full.variance is not None else None, full.df,
        matrix.seeds, _departure(frame, matrix, factors),
    )  # fmt: skip


def _departure(frame: pd.DataFrame, matrix: DesignMatrix, factors: Sequence[str]) -> Term | None:
    """Compare the model of main effects with one mean for each cell, whose residual is noise alone."""
    cells = ["\0".join(map(str, cell)) for cell in frame[list(factors)].itertuples(index=False)]
    alike = DesignMatrix(frame.assign(cell=cells), {"cell": list(dict.fromkeys(cells))})
    each, mains = alike.fit(alike.terms), matrix.fit([(factor,) for factor in factors])
    df = each.rank - mains.rank
    if df < 1 or not each.variance:
        return None
    f = max(0.0, mains.residual - each.residual) / df / each.variance
    p = float(special.fdtrc(df, each.df, f))
    return Term(tuple(factors), df, f, p, p)


@dataclass(frozen=True)
class _Analysis:
    matrix: DesignMatrix
    levels: Mapping[str, Sequence[str]]
    full: LeastSquaresFit
    margin: float | None
    alpha: float
    confidence: float
    lower_is_better: bool

    def contrasts(
        self, terms: Sequence[tuple[str, ...]]
    ) -> tuple[tuple[Contrast, ...], list[tuple[str, ...]]]:
        """Return every contrast of some terms, as one family, and the terms that cannot be estimated."""
        found: list[tuple[Contrast, float | None]] = []
        missing = []
        for term in terms:
            fit, alone = self._fit_for(term)
            if fit is None:
                missing.append(term)
                continue
            found += [self._contrast(fit, term, levels, alone) for levels in self._others(term)]
        return self._read(found), missing

    def terms(self) -> tuple[Term, ...]:
        """Return the F-test of every term that the design can tell apart, by type II sums of squares."""
        if self.full.variance is None:
            return ()
        tested = []
        for term in self.matrix.terms:
            beside = [other for other in self.matrix.terms if not set(term) <= set(other)]
            without, beside_it = self.matrix.fit(beside), self.matrix.fit([*beside, term])
            df = beside_it.rank - without.rank
            if df < self.matrix.width(term) or self.full.variance <= 0:
                continue
            f = max(0.0, without.residual - beside_it.residual) / df / self.full.variance
            tested.append((term, df, f, float(special.fdtrc(df, self.full.df, f))))
        corrected = holm([p for *_, p in tested])
        return tuple(Term(*test, p_holm or 0.0) for test, p_holm in zip(tested, corrected, strict=True))

    def _fit_for(self, term: tuple[str, ...]) -> tuple[LeastSquaresFit | None, bool]:
        vectors = [self.matrix.contrast(term, levels) for levels in self._others(term)]
        if all(self.full.can_estimate(vector) for vector in vectors):
            return self.full, False
        mains = [(factor,) for factor in self.levels]
        reduced = self.matrix.fit(mains if len(term) == 1 else [*mains, term])
        return (reduced if all(reduced.can_estimate(vector) for vector in vectors) else None), True

    def _others(self, term: tuple[str, ...]) -> list[tuple[str, ...]]:
        return list(product(*(self.levels[factor][1:] for factor in term)))

    def _contrast(
        self, fit: LeastSquaresFit, term: tuple[str, ...], levels: tuple[str, ...], alone: bool
    ) -> tuple[Contrast, float | None]:
        value, error = fit.estimate(self.matrix.contrast(term, levels))
        reference = tuple(self.levels[factor][0] for factor in term)
        blank = Contrast(term, levels, reference, value, None, None, None, None, None, "undetermined", alone)
        if not error:
            return blank, None
        half = float(special.stdtrit(fit.df, (1 + self.confidence) / 2)) * error
        p = float(2 * special.stdtr(fit.df, -abs(value) / error))
        room = None if self.margin is None else self.margin - abs(value)
        tost = None if room is None else float(special.stdtr(fit.df, -room / error))
        return replace(blank, lo=value - half, hi=value + half, p=p), tost

    def _read(self, found: Sequence[tuple[Contrast, float | None]]) -> tuple[Contrast, ...]:
        p_holm = holm([contrast.p for contrast, _ in found])
        p_tost = holm([tost for _, tost in found])
        return tuple(
            replace(contrast, p_holm=p, p_tost_holm=tost, words=self._words(contrast, p, tost))
            for (contrast, _), p, tost in zip(found, p_holm, p_tost, strict=True)
        )

    def _words(self, contrast: Contrast, p_holm: float | None, p_tost: float | None) -> str:
        if self.matrix.seeds < FEWEST_SEEDS:
            return f"no claim possible at n = {self.matrix.seeds}"
        if p_tost is not None and p_tost <= self.alpha:
            return "equivalent"
        if p_holm is None or p_holm > self.alpha:
            return "undetermined"
        if len(contrast.factors) == 2:
            return "present"
        return "better" if (contrast.value < 0) == self.lower_is_better else "worse"
