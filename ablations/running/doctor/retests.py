"""Checks of the tests after the training: each line has its outcomes, undamaged, and no file of them is nobody's."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from ablations.errors import RecordError
from ablations.running.doctor.finding import Finding, mended, ok, problem, warning
from ablations.running.doctor.leftovers import check_drafts, move_aside
from ablations.running.record import outcomes
from ablations.running.record.study_paths import StudyPaths
from ablations.running.record.tested.lines import FOLDER, MeasuredLine, outcomes_file, read_right, read_tests
from senet_core.words import counted

ASIDE = "tests.aside"
"""The folder beside the tests to which outcomes that no line names are moved."""

FRESH_SECONDS = 60.0
"""Outcomes that are younger may wait for their line, which is written next."""


def check_retests(paths: StudyPaths, *, fix: bool) -> Iterator[Finding]:
    """Yield findings on the tests of a study's trained networks.

    Args:
        paths: of the study.
        fix: move outcomes that no line names aside, and remove what was not written to its end.
    """
    folder = paths.results / FOLDER
    there = sorted(path for path in folder.glob(f"*{outcomes.SUFFIX}") if not _is_fresh(path))
    try:
        lines = read_tests(paths.results)  # after the files: a line is written behind its outcomes
    except RecordError as error:
        said, _, mend = str(error).partition("; ")
        yield problem(f"{paths.study}: {said}", mend or "correct or remove that line")
        return
    faults = [found for line in lines if (found := _fault(paths, line)) is not None]
    yield from faults
    named = {outcomes_file(paths.results, line.key, line.outcomes_sha256) for line in lines}
    for path in there:
        if path not in named:
            found = warning(
                f"{path} has outcomes that no test names: a test was killed before its line was written",
                f"`fix=True` moves it to {paths.results / ASIDE}; `ablate test` tests again what has no line",
            )
            yield mended(found, partial(move_aside, path, paths.results / ASIDE), fix=fix)
    yield from check_drafts(folder.glob(".*.partial"), fix=fix)
    if len(lines) > len(faults):
        yield ok(f"{folder}: the outcomes of {counted(len(lines) - len(faults), 'test')}, as their lines say")


def _fault(paths: StudyPaths, line: MeasuredLine) -> Finding | None:
    """Return what is wrong with the outcomes of a test; None where nothing is."""
    try:
        read_right(paths.results, line)
    except RecordError as error:
        said, _, mend = str(error).partition("; ")
        return problem(f"{paths.study}: {said}", mend)
    return None


def _is_fresh(path: Path) -> bool:
    try:
        return time.time() - path.stat().st_mtime < FRESH_SECONDS
    except OSError:
        return True  # it has just gone
