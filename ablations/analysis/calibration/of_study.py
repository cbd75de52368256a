"""The calibration of a study: its noise, its rows, seeds, margin and tests."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from ablations.analysis.calibration.rates import Resampling, noise_rates
from ablations.analysis.calibration.resampling import (
    COLLAPSE,
    FEWEST_SEEDS,
    NOISES,
    collapse_of,
    residual_differences,
)
from ablations.analysis.results.account import rules_of
from ablations.analysis.results.results import Results
from ablations.analysis.stats.max_t import FEWEST_PAIRS
from ablations.analysis.stats.seed_table import by_seed
from ablations.errors import RecordError
from ablations.planning.typed_study import plan_digest
from ablations.running.record.calibrations import StudyCalibration
from senet_core.errors import UserError
from senet_core.words import counted

RESAMPLES = 2000
MOST_RESAMPLES = 100_000
_BY_FRAMES = 20  # how much longer a report takes that goes through data frames, for its interim analyses,
_BY_MANY_FLIPS = 4  # and one whose sign flips are thousands,
_FEW_FLIPS = 12  # as they are beyond so many seeds
_NO_SPREAD = 1e-9


def calibrate_study(results: Results, *, resamples: int = RESAMPLES) -> StudyCalibration:
    """Return how often a study's report would be wrong, were its noise that of its own record.

    The record may be unfinished: row effects are taken away, and nothing is said of them.

    Args:
        results: the study's design and record.
        resamples: reports of each kind, from 100 to 100,000; a quarter of it beyond 12 seeds, and a twentieth with
            interim analyses, where each takes longer, but never fewer than 100.

    Raises:
        UserError: `resamples` is out of range.
        RecordError: the record has too few seeds that every row has, or no noise.
    """
    if type(resamples) is not int or not 100 <= resamples <= MOST_RESAMPLES:
        raise UserError(f"resamples must be from 100 to {MOST_RESAMPLES:,}, got {resamples!r}")
    design = results.design
    wide = _values(results)
    complete = wide.dropna()
    if len(complete) < FEWEST_SEEDS:
        raise RecordError(
            f"study {design.study.name!r} has {counted(len(complete), 'seed')} that every row with results has, and its"
            f" noise cannot be resampled from fewer than {FEWEST_SEEDS}"
        )
    residuals = np.hstack(
        [
            residual_differences(complete[[base, *own]].to_numpy(np.float64))
            for base, own in _compared(results, wide)
        ]
    )
    spread = np.sqrt((residuals**2).mean(axis=0))
    noisy = spread > _NO_SPREAD
    if not noisy.any():
        raise RecordError(f"study {design.study.name!r} has no noise: its rows differ alike in every seed")
    rules = replace(rules_of(results), withheld=None, rests_on="seeds", forecast=False, lower_is_better=True)
    seeds = len(design.seeds)
    slower = 1 if seeds <= _FEW_FLIPS else _BY_MANY_FLIPS
    resamples = max(100, resamples // (slower if rules.schedule is None else _BY_FRAMES))
    # rates are shares and ratios: in units in which a collapse has its size they are the same
    unit = collapse_of(design.study.metric, design.study.margin) / COLLAPSE
    scaled = replace(rules, margin=design.study.margin / unit)
    resampling = Resampling(residuals[:, noisy] / unit, seeds, resamples, scaled)
    names = [name for _, own in _compared(results, wide) for name in own]
    kept = {name for name, has_noise in zip(names, noisy, strict=True) if has_noise}
    flips = rules.schedule is None and seeds >= FEWEST_PAIRS
    return StudyCalibration(
        study=design.study.name,
        plan=plan_digest(results.asked.study),
        values=values_digest(results),
        rows=len(kept),
        left_out=tuple(row for row, _ in results.design.pairs if row not in kept),
        seeds=seeds,
        from_seeds=len(complete),
        margin=design.study.margin,
        sd=float(np.sqrt((spread[noisy] ** 2).mean())),
        correction="max-T" if flips else "Holm",
        resamples=resamples,
        noises=tuple(noise_rates(resampling, noise) for noise in NOISES),
    )


def calibration_of(results: Results) -> StudyCalibration | None:
    """Return the calibration that a study's record holds; None where it is of another plan, or of other values."""
    found = results.record.calibration
    if found is None or found.plan != plan_digest(results.asked.study):
        return None
    return found if found.values == values_digest(results) else None


def values_digest(results: Results) -> str:
    """Return 16 hexadecimal digits of the values whose noise is resampled."""
    text = _values(results).to_csv(float_format="%.12g")
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _compared(results: Results, wide: pd.DataFrame) -> Iterator[tuple[str, list[str]]]:
    """Yield each task's baseline with the rows of a table that are compared with it."""
    for part in results.design.tasks:
        base = part.baseline.label
        yield base, [row for row, against in results.design.pairs if against == base and row in wide.columns]


def _values(results: Results) -> pd.DataFrame:
    """Return errors by seed, each task's baseline first; rows without any are left out, but for baselines."""
    sign = 1 if results.design.study.metric.lower_is_better else -1  # here what is lower is better
    wide = sign * by_seed(results.values())
    against = results.design.baselines
    labels = dict.fromkeys(label for row, base in against.items() for label in (base.label, row))
    return wide[[name for name in labels if name == against[name].label or wide[name].notna().any()]]
