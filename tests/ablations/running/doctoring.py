"""What the tests of the doctor share: a results folder, lines of a record, a process that is dead."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from small import small_trial

from ablations.running.doctor import Finding, examine
from ablations.running.machine.holder import Holder
from ablations.running.record.study_paths import StudyPaths
from ablations.running.record.trial_record import TrialRecord, TrialResult

RESULT = TrialResult(10.0, None, 0.4, 0.3, 9.0, 1000, 2000, {"2": 1}, 1.0, 0.1, 100.0, "0" * 64)


def paths_in(folder: Path) -> StudyPaths:
    """The study paths of a study."""
    return StudyPaths("small", folder / "results", folder / "reports")


def finished(seed: int = 0, digest: str = "d" * 64, **changes: Any) -> TrialRecord:
    trial = small_trial(seed=seed)
    line = TrialRecord(
        key=trial.key,
        study="small",
        status="finished",
        trial=trial.to_json(),
        result=RESULT,
        history=(),
        failure=None,
        environment={},
        data_digest=digest,
        data_note="",
        started="2026-11-21T22:00:00+00:00",
        finished="2026-11-21T22:03:00+00:00",
    )
    return replace(line, **changes)


def look(paths: StudyPaths, *, fix: bool = False, tracking: bool = False, **changes: Any) -> list[Finding]:
    """Return everything but what is well."""
    data_dir = paths.results_dir.parent / "data"
    found = examine(paths.results_dir, data_dir, tracking=tracking, fix=fix, **changes)
    return [finding for finding in found if finding.level != "ok"]


def dead_holder() -> Holder:
    process = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True
    )
    return replace(Holder.this_process(), pid=int(process.stdout), start=1)
