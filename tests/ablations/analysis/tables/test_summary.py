"""Summaries: what MLflow gets of each row."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import pytest

from ablations.analysis.results.results import Results
from ablations.analysis.tables.summary import summarise
from tests.ablations.analysis.synthetic import simulated, study_design, write_record

EVERY = {
    "mean", "sd", "n", "ci_lo", "ci_hi", "delta", "delta_lo", "delta_hi", "p", "p_corrected", "top5_mean", "parameters",
    "multiply_adds", "p_tost", "p_tost_corrected", "margin", "effect", "p_better", "more_seeds",
}  # fmt: skip


def test_a_row_has_every_metric_of_its_table(tmp_path: Path) -> None:
    plan = study_design()
    record = write_record(tmp_path, simulated(plan))
    found = {summary.label: summary for summary in summarise(Results(plan, record))}
    assert set(found) == {row.label for row in plan.rows}
    assert set(found["SE r=4"].metrics) == EVERY
    assert set(found["SE"].metrics) == {
        "mean", "sd", "n", "ci_lo", "ci_hi", "top5_mean", "parameters", "multiply_adds",
    }  # fmt: skip
    assert (found["SE"].verdict, found["SE r=4"].verdict) == ("baseline", "undetermined")
    assert dict(found["SE r=4"].values) == {"reduction": "4", "squeeze": "avg"}
    groups = Results(plan, record).families
    assert found["SE r=4"].metrics["p_corrected"] == groups[0].comparisons["SE r=4"].p_corrected
    assert found["plain"].metrics["p_corrected"] == max(
        group.comparisons["plain"].p_corrected or 0 for group in groups
    )


@pytest.mark.parametrize("seeds", [1, 2, 3])
def test_what_is_not_known_is_left_out_and_nothing_is_nan(tmp_path: Path, seeds: int) -> None:
    plan = study_design(seeds=seeds)
    lines = simulated(plan, top5=False, skip=[("SE max", seed) for seed in range(seeds)])
    summaries = summarise(Results(plan, write_record(tmp_path, lines)))
    assert "SE max" not in [summary.label for summary in summaries]
    assert all(math.isfinite(value) for summary in summaries for value in summary.metrics.values())
    assert all("top5_mean" not in summary.metrics for summary in summaries)
    assert all(("ci_lo" in summary.metrics) == (seeds > 1) for summary in summaries)


def test_importing_the_statistics_loads_neither_torch_nor_matplotlib() -> None:
    heavy = ("torch", "matplotlib", "mlflow")
    code = f"import sys, ablations.analysis.stats.compare; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
