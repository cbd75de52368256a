"""The noise that a plan reckons with: the standard deviation of a paired difference over seeds, and where it is from.

Rows and seeds are a two-way layout, value = row + seed + rest, and twice the mean square of the rest estimates the
variance of a paired difference of any two rows. For complete rows this is the mean of that variance over all pairs of
rows; unlike a mean over comparisons with one baseline, which share its noise, it has a known number of degrees of
freedom, (rows - 1)(seeds - 1), from which its interval comes. It supposes that all rows are about equally noisy.

Source: the two-way layout: Scheffe 1959, "The Analysis of Variance", chapter 4; the chi-square interval of a variance.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse, special
from scipy.sparse.csgraph import connected_components

from ablations.analysis.stats.power import sd_of_difference
from ablations.errors import RecordError
from ablations.planning.design import Design
from ablations.planning.networks.trial import NetworkTrial, network_trial
from ablations.running.record.trial_file import TrialFile

if TYPE_CHECKING:
    from ablations.analysis.results.results import Results

LEAST_FREEDOM = 2
"""Degrees of freedom below which a record is no estimate: with two, the interval spans a factor of twelve."""

_TAIL = (1 - 0.95) / 2
_ROUNDS = 1000
_EXACT = 1e-12
_NO_SPREAD = 1e-9


@dataclass(frozen=True)
class Noise:
    """The spread of a paired difference over seeds.

    Attributes:
        sd: standard deviation of a paired difference, in points.
        lo, hi: its 95 % interval; None where it was stated.
        source: where it is from, in words.
        rows: rows that it rests on; None where it was stated.
        seeds: seeds that it rests on.
        freedom: degrees of freedom.
    """

    sd: float
    source: str
    lo: float | None = None
    hi: float | None = None
    rows: int | None = None
    seeds: int | None = None
    freedom: int | None = None


def stated_noise(sd: float, rho: float = 0.0) -> Noise:
    """Return the noise that a stated standard deviation over seeds and correlation of two variants give.

    Raises:
        UserError: one of them is out of range.
    """
    return Noise(sd_of_difference(sd, rho), f"stated: a run's sd is {sd:g} points, rho {rho:g}")


def pooled_noise(frame: pd.DataFrame, source: str) -> Noise | None:
    """Estimate the noise from all rows and seeds of a frame.

    Args:
        frame: columns `variant`, `seed`, `value`; one row for each trial, NaN for what is missing. Where it has a
            column `task`, a seed does something of its own to the rows of each task.
        source: in words.

    Returns:
        None below LEAST_FREEDOM degrees of freedom, and where nothing varies.
    """
    known = frame[np.isfinite(frame["value"].to_numpy(dtype=np.float64))]
    rows, row_names = pd.factorize(known["variant"])
    by = ["seed", "task"] if "task" in known.columns else ["seed"]
    seeds = known.groupby(by, sort=False).ngroup().to_numpy(np.intp)
    if not len(known):
        return None
    freedom = len(known) - len(row_names) - len(set(seeds)) + _parts(rows, seeds)
    if freedom < LEAST_FREEDOM:
        return None
    rest = _rest(known["value"].to_numpy(dtype=np.float64), rows, seeds)
    sd = math.sqrt(2 * float(rest @ rest) / freedom)
    if sd < _NO_SPREAD:
        return None
    lo, hi = (sd * math.sqrt(freedom / float(special.chdtri(freedom, p))) for p in (_TAIL, 1 - _TAIL))
    return Noise(sd, source, lo, hi, len(row_names), known["seed"].nunique(), freedom)


def own_noise(results: Results) -> Noise | None:
    """Estimate the noise from a study's own record; None where it holds too little."""
    return pooled_noise(results.values(), "this study's record")


def pilot_noise(design: Design, pilot: str, record: TrialFile) -> Noise:
    """Estimate the noise from another study's record: its trials of the same backbone, data and recipe.

    Args:
        design: the study that is planned; its baseline says which trials count.
        pilot: the other study's name.
        record: its record.

    Raises:
        RecordError: the record has no such trials, or too few.
    """
    trials = [(_read(line.trial), line.result) for line in record.finished.values()]
    wanted = network_trial(design.baseline.trial(0))
    alike = [(trial, result) for trial, result in trials if trial is not None and not _differs(trial, wanted)]
    if not alike:
        other = next((trial for trial, _ in trials if trial is not None), None)
        why = "it has no finished trials" if other is None else f"its {', '.join(_differs(other, wanted))}"
        raise RecordError(
            f"the record of study {pilot!r} says nothing of this study's noise: {why}; the pilot must have trained"
            " with this study's backbone, data and recipe, or state the noise with `noise.sd`"
        )
    frame = pd.DataFrame(
        [
            (repr((trial.variant, trial.plugins)), trial.seed, result.value("top1_error"))
            for trial, result in alike
            if result is not None
        ],
        columns=["variant", "seed", "value"],
    )
    noise = pooled_noise(frame, f"the record of study {pilot}")
    if noise is None:
        raise RecordError(
            f"the record of study {pilot!r} is too small to estimate the noise: {len(alike)} trials with this study's"
            " backbone, data and recipe; two rows with three seeds in common are the least"
        )
    return noise


def _read(content: Mapping[str, Any]) -> NetworkTrial | None:
    try:
        return NetworkTrial.from_json(content)
    except ValueError:
        return None  # of a plug-in that is not loaded, or of another version


def _differs(trial: NetworkTrial, wanted: NetworkTrial) -> list[str]:
    """Return in what a trial was trained otherwise than is wanted; empty where nothing differs that matters."""
    mine, theirs = trial.recipe.effective.model_dump(), wanted.recipe.effective.model_dump()
    pairs: Iterable[tuple[str, object, object]] = (
        ("backbone", trial.backbone, wanted.backbone),
        ("data", str(trial.data), str(wanted.data)),
        *((name, mine[name], theirs[name]) for name in mine),
    )
    return [f"{name} is {one}, not {other}" for name, one, other in pairs if one != other]


def _rest(
    values: NDArray[np.float64], rows: NDArray[np.intp], seeds: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Return what row and seed effects leave, taken away by turns: one turn is enough where no trial is missing."""
    rest: NDArray[np.float64] = values - values.mean()
    counts = [np.bincount(groups) for groups in (rows, seeds)]
    for _ in range(_ROUNDS):
        moved = 0.0
        for groups, count in zip((rows, seeds), counts, strict=True):
            means = np.bincount(groups, rest) / count
            rest = rest - means[groups]
            moved = max(moved, float(np.abs(means).max()))
        if moved < _EXACT * (1 + float(np.abs(values).max())):
            break
    return rest


def _parts(rows: NDArray[np.intp], seeds: NDArray[np.intp]) -> int:
    """Count the parts of the layout that no trial connects."""
    count = int(rows.max()) + 1
    size = count + int(seeds.max()) + 1
    links = sparse.coo_matrix((np.ones(len(rows)), (rows, seeds + count)), shape=(size, size))
    return int(connected_components(links, directed=False)[0])
