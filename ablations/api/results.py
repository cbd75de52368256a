"""Results of studies that were run before."""

from __future__ import annotations

from pathlib import Path

from ablations.analysis.results.results import Results
from ablations.api.studies import AnyStudy, as_design
from ablations.running.record.study_paths import StudyPaths


def load_results(
    study: AnyStudy, *, seeds: int | None = None, results_dir: str | Path = "results"
) -> Results:
    """Return what is known of a study, from its record alone.

    Args:
        study: as it was run; see `load_study`.
        seeds: as it was run.
        results_dir: holds a folder for each study.

    Raises:
        StudyError: the study is wrong.
        RecordError: its record cannot be read.
    """
    design = as_design(study, seeds=seeds)
    record = StudyPaths(design.study.name, Path(results_dir), Path()).open_record()
    _ = record.trials
    return Results(design, record)
