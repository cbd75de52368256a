"""Results of studies that were run before."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from ablations.analysis.results.results import Results
from ablations.api.last_run import as_last_run
from ablations.api.studies import AnyStudy, open_study
from ablations.planning.typed_study import TypedStudy

_log = logging.getLogger("ablations")


def load_results(
    study: AnyStudy,
    *,
    seeds: int | None = None,
    results_dir: str | Path = "results",
    as_written: bool = False,
) -> Results:
    """Return what is known of a study, from its record alone.

    A study that is named, or given as a file, is taken as it was run last, and a line of the log "ablations" says so.

    Args:
        study: see `load_study`; a Study or a mapping is taken as it is.
        seeds: how many seeds, instead of the study's own; the last run is then not asked.
        results_dir: holds a folder for each study.
        as_written: take the study as its file says it, and not as it was run last.

    Raises:
        StudyError: the study is wrong.
        RecordError: its record cannot be read.
    """
    if isinstance(study, str | Path) and not as_written:
        asked, said = as_last_run(TypedStudy(str(study), seeds=seeds), Path(results_dir))
        if said:
            _log.warning("%s", said)
        changes: dict[str, Any] = {"overrides": asked.overrides, "plugins": asked.plugins}
        design, paths = open_study(asked.study, results_dir, "reports", seeds=asked.seeds, **changes)
    else:
        design, paths = open_study(study, results_dir, "reports", seeds=seeds)
    record = paths.open_record()
    _ = record.trials
    return Results(design, record, places=paths.places())
