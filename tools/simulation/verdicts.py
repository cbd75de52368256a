"""How often verdicts are wrong, intervals cover and effects are found, on made-up studies whose truth is known.

    python -m tools.simulation [--write results/simulation/tables.md] [--repetitions 5000] [--seed 1]

A study has a baseline and 12 variants, all trained with the same n seeds. The noise of a run has a standard deviation
of 0.25 points; of its variance the share rho is common to all runs of a seed. Heavy-tailed noise is Student's t with 3
degrees of freedom, scaled to the same standard deviation. The smallest effect of interest is 0.2 points.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special

from ablations.analysis.stats.holm import holm_rejects
from ablations.analysis.stats.max_t import FEWEST_PAIRS, max_t_p

VARIANTS = 12
SD = 0.25
MARGIN = 0.2
ALPHA = 0.05
SEEDS = (5, 10, 20)
REPETITIONS = 5_000
SEED = 1
FOUND = (0.3, 0.5, 1.0)
"""Real effects, in points, whose discovery is counted."""

EQUAL = np.zeros(VARIANTS)
AT_MARGIN = np.where(np.arange(VARIANTS) % 2, MARGIN, -MARGIN)
HALF = np.where(np.arange(VARIANTS) < VARIANTS // 2, 0.0, AT_MARGIN)
FEW_REAL = np.array([0.3, -0.5, 0.7, -1.0] + [0.0] * (VARIANTS - 4))

_Floats = NDArray[np.float64]
_Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Setting:
    """What is simulated: seeds of each variant, kind of noise, share of its variance that a seed's runs share."""

    n: int
    noise: Literal["normal", "heavy"]
    rho: float


@dataclass(frozen=True)
class Decisions:
    """What a design says of every variant of every study.

    Attributes:
        sign: (studies, variants), -1 where a lower error is claimed, 1 where a higher one is, else 0.
        alike: (studies, variants), whether equivalence is claimed.
        seeds: (studies, variants), seeds that were trained.
    """

    sign: NDArray[np.int8]
    alike: _Flags
    seeds: NDArray[np.int64]


Procedure = Callable[[_Floats, float], Decisions]
"""A design: from errors (studies, seeds, 1 + variants), the baseline first, and a margin to what it decides."""


@dataclass(frozen=True)
class VerdictRates:
    """Shares over all simulated studies, between 0 and 1.

    Attributes:
        setting: what was simulated.
        design: name of the procedure.
        coverage: of the 95 % intervals of differences; None for designs without a fixed number of seeds.
        wrong_difference: studies of 12 equal variants with any "better" or "worse".
        wrong_equivalence: studies of 12 variants at the margin with any "equivalent".
        any_wrong: studies of 6 equal variants and 6 at the margin with any wrong verdict of either kind.
        found: variants with a real effect of FOUND points that are found, in studies of 4 real effects.
        equivalent: equal variants that are called equivalent, in studies of 12 equal ones.
        seeds: mean number of seeds trained per variant, in studies of 4 real effects.
    """

    setting: Setting
    design: str
    coverage: float | None
    wrong_difference: float
    wrong_equivalence: float
    any_wrong: float
    found: tuple[float, ...]
    equivalent: float
    seeds: float


def settings() -> tuple[Setting, ...]:
    """Return every setting of the table."""
    noises: tuple[Literal["normal", "heavy"], ...] = ("normal", "heavy")
    return tuple(Setting(n, noise, rho) for noise, rho, n in product(noises, (0.0, 0.5), SEEDS))


def fixed_design(errors: _Floats, margin: float, *, by_flips: bool = True) -> Decisions:
    """Decide as `stats.compare` does for ordinary runs, for many studies at once.

    Args:
        errors: (studies, seeds, 1 + variants), the baseline first.
        margin: smallest effect of interest.
        by_flips: whether joint sign flips correct where they would; else Holm's method does, which takes no time.
    """
    mean, error, n = _paired(errors)
    tost = special.stdtr(n - 1, -(margin - np.abs(mean)) / error)
    if n < FEWEST_PAIRS or not by_flips:
        differs = holm_rejects(2 * special.stdtr(n - 1, -np.abs(mean) / error), ALPHA)
    else:
        differs = np.array([max_t_p(study) for study in errors[:, :, 1:] - errors[:, :, :1]]) <= ALPHA
    sign = np.where(differs, np.sign(mean), 0).astype(np.int8)
    return Decisions(sign, holm_rejects(tost, ALPHA), np.full(mean.shape, n))


def simulate(
    setting: Setting,
    *,
    procedure: Procedure = fixed_design,
    design: str = "fixed",
    repetitions: int = REPETITIONS,
    seed: int = SEED,
) -> VerdictRates:
    """Simulate studies of every kind in one setting.

    Args:
        setting: what to simulate.
        procedure: the design that decides.
        design: its name.
        repetitions: simulated studies of each kind.
        seed: of the random numbers.
    """
    noise = errors_of(setting, repetitions, seed)

    def decided(truth: _Floats) -> Decisions:
        return procedure(noise + np.concatenate([[0.0], truth]), MARGIN)

    equal, real = decided(EQUAL), decided(FEW_REAL)
    found = tuple(
        float(real.sign[:, int(np.flatnonzero(np.abs(FEW_REAL) == e)[0])].astype(bool).mean()) for e in FOUND
    )
    return VerdictRates(
        setting,
        design,
        _coverage(noise) if procedure is fixed_design else None,
        float(equal.sign.any(axis=1).mean()),
        float(decided(AT_MARGIN).alike.any(axis=1).mean()),
        float(wrong(decided(HALF), HALF).any(axis=1).mean()),
        found,
        float(equal.alike.mean()),
        float(real.seeds.mean()),
    )


def errors_of(setting: Setting, repetitions: int, seed: int) -> _Floats:
    """Draw the errors of studies without any effect, around zero: (repetitions, seeds, 1 + variants)."""
    generator = np.random.default_rng([seed, setting.n, int(100 * setting.rho), setting.noise == "heavy"])

    def draw(columns: int) -> _Floats:
        shape = (repetitions, setting.n, columns)
        if setting.noise == "normal":
            return generator.standard_normal(shape)
        return generator.standard_t(3, shape) / math.sqrt(3)  # its variance is 3

    own = draw(1 + VARIANTS)
    return SD * (math.sqrt(setting.rho) * draw(1) + math.sqrt(1 - setting.rho) * own)


def wrong(decisions: Decisions, truth: _Floats) -> _Flags:
    """Where a verdict is wrong: a direction that is not the true one, or equivalence of what reaches the margin."""
    direction = (decisions.sign != 0) & (decisions.sign != np.sign(truth))
    flags: _Flags = direction | (decisions.alike & (np.abs(truth) >= MARGIN))
    return flags


def markdown(findings: Sequence[VerdictRates]) -> str:
    """Return the table of the documentation."""
    heads = [
        "noise", "rho", "n", "design", "coverage of 95 % intervals", "any wrong better/worse",
        "any wrong equivalent", "any wrong, half and half", *(f"found: {effect:g}" for effect in FOUND),
        "equal called equivalent", "seeds used",
    ]  # fmt: skip
    rows = []
    for f in findings:
        noise = "normal" if f.setting.noise == "normal" else "heavy-tailed"
        shares = f.coverage, f.wrong_difference, f.wrong_equivalence, f.any_wrong, *f.found, f.equivalent
        shown = ["-" if share is None else f"{100 * share:.1f} %" for share in shares]
        rows.append([noise, f"{f.setting.rho:g}", str(f.setting.n), f.design, *shown, f"{f.seeds:.1f}"])
    return markdown_table(heads, rows, words=("noise", "rho", "design"))


def markdown_table(heads: Sequence[str], rows: Iterable[Sequence[str]], words: Sequence[str] = ()) -> str:
    """Return a table in Markdown; the columns of `words` are set to the left, all others to the right."""
    sides = ["---" if head in words else "---:" for head in heads]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (heads, sides, *rows))


def _paired(errors: _Floats) -> tuple[_Floats, _Floats, int]:
    """Mean and standard error of the differences to the baseline: (studies, variants) each."""
    n = errors.shape[1]
    differences = errors[:, :, 1:] - errors[:, :, :1]
    return differences.mean(axis=1), differences.std(axis=1, ddof=1) / math.sqrt(n), n


def _coverage(noise: _Floats) -> float:
    mean, error, n = _paired(noise)
    return float((np.abs(mean) <= special.stdtrit(n - 1, 0.975) * error).mean())
