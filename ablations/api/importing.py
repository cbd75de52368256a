"""Importing recorded runs into the record of a study."""

from __future__ import annotations

from dataclasses import dataclass

from ablations.analysis.external.importing.plan import ImportPlan, plan_import
from ablations.analysis.external.importing.reading import AskedImport
from ablations.planning.design import Design
from ablations.running.machine.locks import locked
from ablations.running.record.study_paths import StudyPaths

LOCK_NAME = ".import.lock"


@dataclass(frozen=True)
class ImportDone:
    """What an import came to.

    Attributes:
        plan: what was to be written.
        written: how many lines were; fewer where others have added some of the trials meanwhile.
        left: trials of the study that have no result.
    """

    plan: ImportPlan
    written: int
    left: int


def import_runs(
    design: Design, paths: StudyPaths, source: str, asked: AskedImport, *, write: bool = True
) -> ImportDone:
    """Write the runs of a source into a study's record, as finished and failed trials.

    All lines are written in one piece after everything has been checked. Where that is cut off, each trial is there or
    not, and the same call adds what is missing.

    Args:
        design: the study.
        paths: its folders; the results folder is made if need be.
        source: "name:PLACE", or a place that is recognised.
        asked: how the source calls things.
        write: False to write nothing, and see what would be.

    Raises:
        StudyError: the study is of networks.
        UserError: see `plan_import`; or the folder cannot be written to.
        RecordError: the record cannot be read.
        DiskError: it cannot be written.
    """
    record = paths.open_record()
    plan = plan_import(design, record, source, asked)
    written = 0
    if write and plan.lines:
        paths.make_writable()
        with locked(paths.results / LOCK_NAME):  # another import may have been between reading and writing
            record.refresh()
            lines = (line for _, line in plan.lines)
            new = [line for line in lines if line.result is not None or line.key not in record.failed]
            written = len(record.add_trials(*new))
    finished = {*record.finished, *(line.key for _, line in plan.lines if line.result is not None)}
    left = len({trial.key for trial in design.trials} - finished)
    return ImportDone(plan, written, left)
