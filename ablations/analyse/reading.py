"""What a comparison lets one say, and in which words: what is not significant is "undetermined"."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from ablations.analyse.sign_flip import smallest_sign_flip_p

Verdict = Literal["better", "worse", "undetermined", "no claim"]

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
) -> Reading:
    """Say what a paired difference shows.

    Args:
        difference: variant minus baseline; None without a common seed.
        n: common seeds.
        p_corrected: after correction for the family; None where there is no test.
        alpha: a corrected p of at most this much is read as a difference.
        lower_is_better: True for errors and losses.
    """
    if n < FEWEST_SEEDS or difference is None:
        return Reading("no claim", f"no claim possible at n = {n}")
    if p_corrected is None or p_corrected > alpha or difference == 0:
        return Reading("undetermined", "undetermined")
    lower = difference < 0
    if lower_is_better:
        return Reading("better", "lower error") if lower else Reading("worse", "higher error")
    return Reading("worse", "lower") if lower else Reading("better", "higher")


def limits(seeds: Iterable[int], family: int, *, alpha: float = 0.05) -> tuple[str, ...]:
    """Say which results so few seeds cannot give.

    Args:
        seeds: common seeds of each comparison of a family.
        family: comparisons in the family.
        alpha: the significance level.

    Returns:
        Sentences, without markup; none where there are seeds enough.
    """
    counts = [n for n in seeds if n > 0]
    if not counts:
        return ()
    n = min(counts)
    if n < FEWEST_SEEDS:
        return (
            f"With {n} common seed{'s' * (n != 1)} no claim is possible: the figures show that the "
            f"study runs.",
        )
    least = smallest_sign_flip_p(n)
    said = []
    if least > alpha:
        said.append(
            f"At n = {n} the sign-flip test cannot be significant: its smallest possible p is {least:.3g}. "
            "Readings rest on the t-test alone, which trusts the differences to be normally distributed."
        )
    elif least * family > alpha:
        said.append(
            f"At n = {n} no sign-flip p can be significant after Holm's correction over {family} "
            f"comparisons: "
            f"the smallest possible is {least:.3g}, times {family} is {least * family:.2g}."
        )
    if n < 10:
        said.append(
            f"n = {n} suits screening: differences below about one standard deviation will mostly "
            f"stay undetermined."
        )
    return tuple(said)
