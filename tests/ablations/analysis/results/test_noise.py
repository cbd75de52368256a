"""The noise of a plan: a mean over all pairs of rows, with honest degrees of freedom."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ablations.analysis.results.noise import own_noise, pilot_noise, pooled_noise, stated_noise
from ablations.analysis.results.results import Results
from senet_core.errors import UserError
from tests.ablations.analysis.synthetic import simulated, study_design, write_record


def frame(values: np.ndarray) -> pd.DataFrame:
    rows, seeds = values.shape
    return pd.DataFrame(
        [(f"v{row}", seed, values[row, seed]) for row in range(rows) for seed in range(seeds)],
        columns=["variant", "seed", "value"],
    )


def test_it_is_the_mean_variance_over_all_pairs() -> None:
    values = np.random.default_rng(0).normal(size=(5, 7)) + np.arange(7)
    noise = pooled_noise(frame(values), "here")
    assert noise is not None
    pairs = [np.var(values[a] - values[b], ddof=1) for a, b in combinations(range(5), 2)]
    assert noise.sd**2 == pytest.approx(np.mean(pairs))
    assert (noise.rows, noise.seeds, noise.freedom) == (5, 7, 24)


def test_its_interval_covers() -> None:
    generator = np.random.default_rng(1)
    covered = 0
    for _ in range(600):
        noise = pooled_noise(frame(generator.normal(0, 0.25, (4, 5)) + generator.normal(0, 1, 5)), "")
        assert noise is not None
        assert noise.lo is not None
        assert noise.hi is not None
        covered += noise.lo <= 0.25 * 2**0.5 <= noise.hi
    assert covered / 600 == pytest.approx(0.95, abs=0.03)


def test_missing_trials_are_left_out_by_least_squares() -> None:
    values = np.random.default_rng(2).normal(size=(4, 6))
    values[0, 1] = values[2, 5] = values[3, 0] = np.nan
    noise = pooled_noise(frame(values), "")
    table = frame(values).dropna()
    layout = pd.get_dummies(table[["variant", "seed"]].astype(str), dtype=float).to_numpy()
    values = table["value"].to_numpy()
    effects, _, rank, _ = np.linalg.lstsq(layout, values, rcond=None)
    left = values - layout @ effects
    assert noise is not None
    assert noise.freedom == len(table) - rank
    assert noise.sd == pytest.approx(np.sqrt(2 * (left @ left) / noise.freedom), rel=1e-9)


def test_too_little_is_no_estimate() -> None:
    assert pooled_noise(frame(np.empty((0, 0))), "") is None
    assert pooled_noise(frame(np.random.default_rng(0).normal(size=(5, 1))), "") is None
    assert pooled_noise(frame(np.random.default_rng(0).normal(size=(1, 9))), "") is None
    assert pooled_noise(frame(np.ones((4, 4))), "") is None


def test_a_studys_own_record(tmp_path: Path) -> None:
    plan = study_design(seeds=40)
    record = write_record(tmp_path, simulated(plan, {"SE r=4": 2.0}, sd=0.4, rho=0.5))
    noise = own_noise(Results(plan, record))
    assert noise is not None
    assert noise.sd == pytest.approx(0.4, rel=0.15)  # 0.4 * sqrt(2 * (1 - 0.5)), known to 6 %
    assert noise.freedom == 4 * 39
    assert noise.source == "this study's record"


def test_a_pilot_counts_where_it_was_trained_alike(tmp_path: Path) -> None:
    pilot = study_design(name="pilot", seeds=8, axes={"excitation": ["relu", "tanh"]})
    record = write_record(tmp_path, simulated(pilot, sd=0.4))
    noise = pilot_noise(study_design(), "pilot", record)
    assert (noise.rows, noise.seeds, noise.source) == (4, 8, "the record of study pilot")
    longer = study_design(recipe={"base": "cifar-quick", "epochs": 20})
    with pytest.raises(
        UserError, match=r"says nothing of this study's noise: its epochs is 10\.0, not 20\.0; the"
    ):
        pilot_noise(longer, "pilot", record)
    with pytest.raises(UserError, match="it has no finished trials"):
        pilot_noise(longer, "pilot", write_record(tmp_path / "none", []))
    few = study_design(name="few", seeds=1)
    with pytest.raises(UserError, match="too small to estimate the noise: 5 trials"):
        pilot_noise(study_design(), "few", write_record(tmp_path / "few", simulated(few)))


def test_stated() -> None:
    assert stated_noise(0.25, 0.5).sd == pytest.approx(0.25)
    assert stated_noise(0.25).source == "stated: a run's sd is 0.25 points, rho 0"
