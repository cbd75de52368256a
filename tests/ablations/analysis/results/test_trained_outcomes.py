"""Verdicts of a study that was trained here, held against statsmodels from the outcomes on the disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm

import ablations as ab
from ablations.analysis.stats.crossed_error import CrossedError

SEEDS = 3


@pytest.mark.slow
def test_a_trained_study_rests_on_images_and_its_intervals_are_those_of_statsmodels(
    ablate: Callable[..., Any], tmp_path: Path
) -> None:
    words = ("run", "quickstart", "--seeds", str(SEEDS), "--set", "recipe.epochs=1", "--no-tracking")
    assert ablate(*words).status == 0
    results = ab.load_results("quickstart", results_dir=tmp_path / "results")
    base = results.design.baseline
    assert {c.rests_on for c in results.comparisons.values()} == {"images"}
    for row in results.design.rows:
        if row.label == base.label:
            continue
        bits = [[results.outcomes(r.trial(s).key) for s in range(SEEDS)] for r in (row, base)]
        d = 100.0 * (np.array(bits[1], dtype=float) - np.array(bits[0], dtype=float))
        made = results.comparisons[row.label]
        errors = results.values("top1_error", (row, base)).pivot(
            index="seed", columns="variant", values="value"
        )
        assert d.mean(axis=1) == pytest.approx((errors[row.label] - errors[base.label]).to_numpy())
        seed, image = np.indices(d.shape)
        data = pd.DataFrame({"d": d.ravel(), "seed": seed.ravel(), "image": image.ravel()})
        table: Any = anova_lm(ols("d ~ C(seed) + C(image)", data).fit(), typ=1)
        ms, df = table["mean_sq"], table["df"]
        of_images = max(0, ms["C(image)"] - ms["Residual"]) / d.size
        of_seeds = ms["C(seed)"] / d.size
        half = CrossedError(np.sqrt(of_seeds), df["C(seed)"], np.sqrt(of_images), df["C(image)"]).half_width(
            0.95
        )
        interval = (d.mean() - half, d.mean() + half)
        assert (made.difference.lo, made.difference.hi) == pytest.approx(interval, abs=1e-6)
