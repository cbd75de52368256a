"""What a comparison lets one say, and in which words: what is not shown is "undetermined"."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from ablations.analysis.stats.equivalence import largest_sd
from ablations.analysis.stats.shape import most_unseen
from ablations.analysis.stats.sign_flip import smallest_sign_flip_p
from senet_core.words import counted

Verdict = Literal["better", "worse", "equivalent", "undetermined", "no claim"]

_RARE = 0.05
"""How often a row may collapse unseen without a word about it."""

FEWEST_SEEDS = 3
"""Below so many common seeds nothing is claimed."""


@dataclass(frozen=True)
class Reading:
    """A verdict and the words that a table prints for it."""

    verdict: Verdict
    words: str


def read(
    difference: float | None,
    n: int,
    p_corrected: float | None,
    *,
    alpha: float = 0.05,
    lower_is_better: bool = True,
    p_tost: float | None = None,
    margin: float | None = None,
) -> Reading:
    """Return what a paired difference shows.

    A difference that is shown, and shown to be smaller than the margin, is read as equivalent: the margin is the
    smallest effect of interest. Its direction stands beside it.

    Args:
        difference: variant minus baseline; None without a common seed.
        n: common seeds.
        p_corrected: of the difference, after correction for the family; None where there is no test.
        alpha: a corrected p of at most this much is read as shown.
        lower_is_better: True for errors and losses.
        p_tost: of equivalence, after correction for the family; None where there is no test.
        margin: smallest effect of interest, in the units of the values; None if there is none.
    """
    if n < FEWEST_SEEDS or difference is None:
        return Reading("no claim", f"no claim possible at n = {n}")
    differs = p_corrected is not None and p_corrected <= alpha and difference != 0
    direction: Literal["better", "worse"] = "better" if (difference < 0) == lower_is_better else "worse"
    if p_tost is not None and p_tost <= alpha and margin is not None:
        beside = f" ({direction} by less than {margin:g})" if differs else ""
        return Reading("equivalent", f"equivalent{beside}")
    return Reading(direction, direction) if differs else Reading("undetermined", "undetermined")


def limits(
    seeds: Iterable[int],
    family: int,
    *,
    alpha: float = 0.05,
    margin: float | None = None,
    spreads: Sequence[float] = (),
    over_seeds: bool = True,
) -> tuple[str, ...]:
    """Return which results so few seeds cannot give.

    Args:
        seeds: common seeds of each comparison of a family.
        family: comparisons in the family.
        alpha: the family-wise level.
        margin: smallest effect of interest; None if there is none.
        spreads: standard deviation of the differences of each comparison, in the units of the margin.
        over_seeds: whether verdicts rest on seeds alone, so that a sign-flip test stands beside them.

    Returns:
        Sentences, without markup; none where there are seeds enough.
    """
    counts = [n for n in seeds if n > 0]
    if not counts:
        return ()
    n = min(counts)
    if n < FEWEST_SEEDS:
        return (
            f"With {counted(n, 'common seed')} no verdict is possible: the figures show that the study runs.",
        )
    said = [*_flip_limit(n, family, alpha)] if over_seeds else []
    if margin is not None and spreads:
        said += _equivalence_limit(n, max(1, family), alpha, margin, spreads)
    if n < 10:
        said.append(
            f"n = {n} suits screening: differences below about one standard deviation will mostly "
            f"stay undetermined."
        )
    unseen = most_unseen(n)
    if unseen > _RARE:
        said.append(
            f"Verdicts are of runs like those that were seen. Where none of {n} collapsed, up to "
            f"{100 * unseen:.0f} % of a row's runs may (95 % confidence)."
        )
    return tuple(said)


def _flip_limit(n: int, family: int, alpha: float) -> list[str]:
    least = smallest_sign_flip_p(n)
    if least > alpha:
        return [
            f"At n = {n} “better” and “worse” are impossible by the sign-flip test, whose smallest possible p is "
            f"{least:.3g}. Verdicts rest on the t-test alone, which trusts the differences to be normally distributed."
        ]
    if least * family > alpha:
        return [
            f"At n = {n} no sign-flip p can be significant after Holm's correction over {family} comparisons: the "
            f"smallest possible is {least:.3g}, times {family} is {least * family:.2g}."
        ]
    return []


def _equivalence_limit(
    n: int, family: int, alpha: float, margin: float, spreads: Sequence[float]
) -> list[str]:
    """Judged at Bonferroni's level: it is the first that Holm's method asks for."""
    most = largest_sd(n, margin, alpha / family)
    out_of_reach = sum(sd > most for sd in spreads)
    if not out_of_reach:
        return []
    which = (
        "every comparison"
        if out_of_reach == len(spreads)
        else f"{out_of_reach} of {len(spreads)} comparisons"
    )
    return [
        f"At n = {n} “equivalent” (within {margin:g}) is out of reach for {which}: even differences that are zero on "
        f"average would have to spread less over seeds, with an sd of at most {most:.2g}."
    ]
