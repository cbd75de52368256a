"""A study as it was run last: what the results folder knows is taken up where nothing else is said."""

from __future__ import annotations

import os
import shlex
from dataclasses import replace
from pathlib import Path

from ablations.errors import RecordError
from ablations.planning.typed_study import TypedStudy
from ablations.running.record.last_plan import read_last_plan

AS_GIVEN = "the study is taken as it is given"


def as_last_run(asked: TypedStudy, results_dir: Path) -> tuple[TypedStudy, str]:
    """Return the words with which a study was run last, and a sentence that says so; what was asked where none fit.

    Args:
        asked: as it is typed now. Overrides or seeds mean another plan; plug-ins take the place of the last ones.
        results_dir: holds a folder for each study.

    Returns:
        The words, and "as last run: --set recipe.epochs=1 --seeds 3", or why they are not taken, or "".
    """
    if asked.overrides or asked.seeds is not None:
        return asked, ""
    try:
        last = read_last_plan(results_dir / asked.name)
    except RecordError as error:
        return asked, f"{error}; {AS_GIVEN}: say what was changed in it by `overrides`"
    if last is None:
        return asked, ""
    words = last.typed
    if not asked.is_file and words.is_file and not os.path.exists(words.study):
        beside = (
            results_dir / asked.name / os.path.basename(words.study)
        )  # written there for a study from Python
        if beside.exists():
            return as_last_run(replace(asked, study=str(beside)), results_dir)
        return asked, f"the file of the last run is gone, {words.study}; {AS_GIVEN}"
    if asked.is_file and not _is_same_file(asked.study, words):
        return asked, f"the last run was of another study, {words}; {AS_GIVEN}"
    study = asked.study if asked.is_file or not words.is_file else words.study
    words = words.moved_to(study)
    taken = TypedStudy(study, words.overrides, words.seeds, asked.plugins or words.plugins)
    return taken, _sentence(taken, asked)


def _is_same_file(file: str, words: TypedStudy) -> bool:
    if not words.is_file:
        return False
    try:
        return os.path.samefile(file, words.study)
    except OSError:  # one of them is gone: the results may have been carried to another folder
        return not os.path.exists(words.study) or not os.path.exists(file)


def _sentence(taken: TypedStudy, asked: TypedStudy) -> str:
    if taken == asked:
        return ""
    shown = taken.changes if taken.study == asked.study else taken.words
    return f"as last run: {shlex.join(shown)}"
