"""How often the report of a study would be wrong."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ablations.api.results import load_results
from ablations.running.record.calibrations import StudyCalibration, keep_calibration

if TYPE_CHECKING:
    from ablations.api.studies import AnyStudy

_RESAMPLES = 2000


def calibrate(
    study: AnyStudy,
    *,
    seeds: int | None = None,
    resamples: int = _RESAMPLES,
    results_dir: str | Path = "results",
) -> StudyCalibration:
    """Return how often a study's report would be wrong, with its own noise, rows, seeds and margin.

    It is kept in RESULTS_DIR/STUDY/calibration.json, and the report shows it. The same in every call.

    Args:
        study: see `load_results`.
        seeds: likewise.
        resamples: reports of each kind, from 100 to 100,000.
        results_dir: holds a folder for each study.

    Raises:
        StudyError: the study is wrong.
        RecordError: its record cannot be read, or has fewer than 5 seeds that every row has.
        UserError: `resamples` is out of range, or the file cannot be written.
    """
    from ablations.analysis.calibration.of_study import calibrate_study

    results = load_results(study, seeds=seeds, results_dir=results_dir)
    found = calibrate_study(results, resamples=resamples)
    keep_calibration(results.record.folder, found)
    return found
