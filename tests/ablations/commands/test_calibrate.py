"""`ablate calibrate`: a page of figures, kept beside the record; one line where there is too little to go by."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

import ablations as ab
from tests.ablations.analysis.synthetic import simulated, study_design, write_record

FIELDS = {
    "title": "Reduction and squeeze",
    "question": "Do they matter?",
    "baseline": {"backbone": "resnet20", "variant": "se", "data": "cifar10"},
    "recipe": "cifar-quick",
    "axes": {"reduction": [4, 16, 32], "squeeze": ["avg", "max"]},
    "seeds": 6,
}


def study(seeds: int = 6) -> None:
    Path("tiny.yaml").write_text(yaml.safe_dump({**FIELDS, "seeds": seeds}), encoding="utf-8")
    write_record(Path("results/tiny"), simulated(study_design(seeds=seeds)))


def test_a_calibration_is_printed_and_kept(ablate: Callable[..., Any]) -> None:
    study()
    said = ablate("calibrate", "tiny.yaml", "--resamples", "100")
    assert said.status == 0
    assert said.err == "results/tiny/calibration.json\n"
    assert "any wrong better or worse, all rows equal" in said.out
    assert "100 reports of each kind, of 4 rows with 6 seeds, margin 0.2" in said.out
    kept = Path("results/tiny/calibration.json").read_bytes()
    found = ab.calibrate("tiny.yaml", resamples=100)
    assert found.rows == 4
    assert Path("results/tiny/calibration.json").read_bytes() == kept
    assert ablate("report", "tiny.yaml").status == 0
    assert "<summary>Calibration</summary>" in Path("reports/tiny/report.md").read_text(encoding="utf-8")


def test_too_few_seeds_are_one_line_and_status_2(ablate: Callable[..., Any]) -> None:
    study(seeds=3)
    said = ablate("calibrate", "tiny.yaml")
    assert (said.status, said.out) == (2, "")
    assert said.err.startswith("ablate: study 'tiny' has 3 seeds that every row with results has")
    assert not Path("results/tiny/calibration.json").exists()
    assert ablate("calibrate", "tiny.yaml", "--resamples", "1").status == 2
    assert ablate("calibrate", "small.yaml").status == 2
