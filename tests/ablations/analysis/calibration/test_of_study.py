"""The calibration of a study: what its own noise does to its report, the same in every call."""

from __future__ import annotations

import json
import math
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ablations.analysis.calibration.of_study import calibrate_study, calibration_of
from ablations.analysis.calibration.page import calibration_table
from ablations.analysis.calibration.rates import Resampling, noise_rates
from ablations.analysis.calibration.resampling import collapse_of, residual_differences
from ablations.analysis.report.write import write_report
from ablations.analysis.results.account import rules_of
from ablations.analysis.results.results import Results
from ablations.errors import RecordError
from ablations.planning.metric import Metric
from ablations.running.record.calibrations import (
    FILE_NAME,
    NoiseRates,
    StudyCalibration,
    keep_calibration,
    load_calibration,
)
from senet_core.errors import UserError
from tests.ablations.analysis.synthetic import line, simulated, study_design, write_record

AXES = {"squeeze": ["avg", "max"], "reduction": [4, 16]}


def results_of(
    folder: Path, *, seeds: int = 6, skip: list[tuple[str, int]] | None = None, **more: Any
) -> Results:
    plan = study_design(seeds=seeds, axes=AXES, **more)
    return Results(plan, write_record(folder, simulated(plan, {"plain": 2.0}, skip=skip or [])))


def rates(found: StudyCalibration, noise: str = "as found") -> dict[str, float | None]:
    [one] = [one for one in found.noises if one.noise == noise]
    return {rate.key: rate.value for rate in one.rates}


def skewed_study(folder: Path) -> Results:
    """A quiet baseline, and rows that all collapse in one seed of eight."""
    plan = study_design(seeds=8, axes=AXES)
    lines = []
    for row in plan.rows:
        for seed in plan.seeds:
            noise = random.Random(f"{row.label} {seed}").gauss(0, 0.02)
            far = 5.0 if row.label != "SE" and seed == 7 else 0.0
            lines.append(line(plan, row, seed, round(8 + noise + far, 4)))
    return Results(plan, write_record(folder, lines))


def test_a_study_says_what_was_resampled_and_finds_what_can_be_found(tmp_path: Path) -> None:
    found = calibrate_study(results_of(tmp_path, margin=0.5), resamples=200)
    assert (found.study, found.rows, found.seeds, found.from_seeds) == ("tiny", 3, 6, 6)
    assert (found.margin, found.resamples, found.correction, found.left_out) == (0.5, 200, "Holm", ())
    assert found.sd == pytest.approx(0.2, rel=0.5)  # two rows of sd 0.2 with a correlation of a half
    one = rates(found)
    assert one["wrong_difference"] is not None
    assert one["wrong_difference"] < 0.15
    assert one["coverage"] == pytest.approx(0.95, abs=0.04)
    powers = [one["found_0.5"], one["found_1"], one["found_2"]]
    assert powers == sorted(powers, key=lambda share: share or 0.0)
    assert (powers[-1] or 0) > 0.9
    assert (one["exaggeration_0.5"] or 0) > (one["exaggeration_1"] or 9) >= 1


def test_the_figures_are_the_same_in_every_call_and_on_the_disk(tmp_path: Path) -> None:
    results = results_of(tmp_path)
    found = calibrate_study(results, resamples=100)
    assert found == calibrate_study(results, resamples=100)
    keep_calibration(tmp_path, found)
    assert load_calibration(tmp_path) == found


def test_row_and_seed_effects_do_not_matter(tmp_path: Path) -> None:
    first = calibrate_study(results_of(tmp_path / "a"), resamples=100)
    plan = study_design(seeds=6, axes=AXES)
    lines = simulated(plan, {"plain": 7.0, "SE max": -3.0}, level=20.0)
    other = calibrate_study(Results(plan, write_record(tmp_path / "b", lines)), resamples=100)
    assert other.noises[0].rates[0].value == pytest.approx(first.noises[0].rates[0].value, abs=0.02)
    assert other.sd == pytest.approx(first.sd, abs=0.005)  # the record has two decimals


def test_rows_that_collapse_together_break_what_is_promised(tmp_path: Path) -> None:
    found = calibrate_study(skewed_study(tmp_path), resamples=100)
    assert (rates(found)["coverage"] or 1) < 0.9
    assert found.correction == "max-T"


def test_an_unfinished_study_is_calibrated_from_the_seeds_that_all_rows_have(tmp_path: Path) -> None:
    results = results_of(tmp_path, seeds=9, skip=[("SE max", 8), ("plain", 2)])
    assert results.withheld is not None
    found = calibrate_study(results, resamples=100)
    assert (found.seeds, found.from_seeds) == (9, 7)


def test_too_few_seeds_are_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(RecordError) as refused:
        calibrate_study(results_of(tmp_path, seeds=4))
    assert str(refused.value) == (
        "study 'tiny' has 4 seeds that every row with results has, and its noise cannot be resampled from fewer than 5"
    )
    with pytest.raises(UserError, match=r"resamples must be from 100 to 100,000, got 7"):
        calibrate_study(results_of(tmp_path), resamples=7)


def test_rows_without_noise_or_results_are_left_out_and_named(tmp_path: Path) -> None:
    plan = study_design(seeds=6, axes=AXES)
    lines = simulated(plan, skip=[("SE r=4", seed) for seed in range(6)])
    errors = {
        entry["trial"]["seed"]: entry["result"]["top1_error"] for entry in lines if entry["trial"]["variant"]
    }
    assert errors
    found = calibrate_study(Results(plan, write_record(tmp_path, lines)), resamples=100)
    assert (found.rows, found.left_out) == (2, ("SE r=4",))
    alike = [line(plan, row, seed, 8.0 + 0.1 * seed) for row in plan.rows for seed in plan.seeds]
    with pytest.raises(RecordError, match="has no noise: its rows differ alike in every seed"):
        calibrate_study(Results(plan, write_record(tmp_path / "b", alike)))


def test_a_race_goes_through_its_interim_analyses(tmp_path: Path) -> None:
    plan = study_design(seeds=6, axes={"squeeze": ["avg", "max"]}, design="race", race={"first": 5})
    results = Results(plan, write_record(tmp_path, simulated(plan)))
    assert results.schedule is not None
    rules = replace(rules_of(results), forecast=False)
    residuals = residual_differences(
        results.values("top1_error")
        .pivot(columns="variant", index="seed", values="value")
        .dropna()
        .to_numpy()
    )
    found = noise_rates(Resampling(residuals, 6, 20, rules), "as found")
    assert {"coverage", "found_2"} <= {rate.key for rate in found.rates}
    assert "forecast" not in {rate.key for rate in found.rates}


def test_the_report_shows_it_until_the_values_are_others(tmp_path: Path) -> None:
    results = results_of(tmp_path / "tiny")
    keep_calibration(tmp_path / "tiny", calibrate_study(results, resamples=100))
    again = results_of(tmp_path / "tiny")
    text = write_report(again, tmp_path / "reports").markdown
    assert text is not None
    said = text.read_text(encoding="utf-8")
    assert "<summary>Calibration</summary>" in said
    assert "any wrong better or worse, all rows equal" in said
    plan = study_design(seeds=6, axes=AXES)
    other = Results(plan, write_record(tmp_path / "tiny", simulated(plan, sd=0.3)))
    assert calibration_of(other) is None
    assert calibration_of(results_of(tmp_path / "tiny", margin=0.3)) is None


def test_a_damaged_file_is_left_out_of_the_report(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    results = results_of(tmp_path)
    for text in ("{", "[]", '{"schema": 1}', '{"schema": 99}', json.dumps({"schema": 1, "study": 3})):
        (tmp_path / FILE_NAME).write_text(text, encoding="utf-8")
        with pytest.raises(RecordError, match=FILE_NAME):
            load_calibration(tmp_path)
    assert calibration_of(results) is None
    assert "the calibration is left out" in caplog.text


def test_every_figure_has_its_error_and_number(tmp_path: Path) -> None:
    results = results_of(tmp_path)
    found = calibrate_study(results, resamples=100)
    table = calibration_table(found, results.design.study.metric)
    assert len(table.columns) == 2 + len(found.noises)
    for one in found.noises:
        assert isinstance(one, NoiseRates)
        for rate in one.rates:
            assert rate.n == 0 or rate.error is None or (rate.error > 0 and math.isfinite(rate.error))
            assert rate.value is None or math.isfinite(rate.value)
    cells = [cell.text() for row in table.rows for cell in row.cells[2:]]
    assert all("(" in cell for cell in cells)


def test_a_metric_of_another_unit_is_spoken_of_in_it(tmp_path: Path) -> None:
    seconds = Metric("seconds", "time", "s", "s", 3)
    table = calibration_table(calibrate_study(results_of(tmp_path, margin=0.01), resamples=100), seconds)
    text = " ".join([*table.notes, *(row.cells[0].text() or "" for row in table.rows)])
    assert "points" not in text
    assert "One row collapses: 0.5 s worse in 10 % of its seeds" in text
    assert "one row with a true difference of 2 margins (0.02 s)" in text


def test_a_collapse_has_one_size_in_per_cent_and_is_so_many_margins_in_other_units() -> None:
    assert collapse_of(Metric("error", "error", "%", "points"), 0.5) == 10
    assert collapse_of(Metric("loss", "loss"), 0.004) == pytest.approx(0.2)
