"""Sealing a study: its plan is written down before its results are known."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from ablations.analysis.results.results import Results
from ablations.analysis.results.seal import make_seal
from ablations.errors import RecordError
from ablations.planning.design import Design
from ablations.running.machine.durable import not_written
from ablations.running.record.seals import Seal, add_seal
from ablations.running.record.study_paths import StudyPaths
from ablations.running.record.trial_file import FILE_NAME, TrialFile


def seal_study(design: Design, paths: StudyPaths, primary: Sequence[str] = ()) -> Seal:
    """Write down what a study is going to ask, and return that; what is sealed so already stays as it is.

    Args:
        design: the study.
        paths: its folders.
        primary: labels of the rows that are to confirm something; all if there are none.

    Raises:
        UserError: a row is not known, every trial is finished already, or the file cannot be written.
        RecordError: the record or the file cannot be read.
    """
    record = paths.open_record()
    known = {line.key for line in paths.lines_set_aside() if line.status == "finished"} | set(record.finished)
    for path in paths.results_dir.glob(f"*/{FILE_NAME}"):
        with suppress(RecordError):  # of another study
            known |= TrialFile.load(path).finished.keys()
    seal = make_seal(Results(design, record, places=paths.places()), primary, known)
    try:
        return add_seal(paths.results, seal)
    except OSError as error:
        raise not_written(f"the sealed plan in {paths.results}", error, chosen=True) from error
