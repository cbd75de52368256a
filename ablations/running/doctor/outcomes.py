"""Checks of the outcomes of finished trials: each trial has its own, undamaged, and no file is nobody's."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from ablations.errors import RecordError
from ablations.running.doctor.finding import Finding, mended, ok, problem, warning
from ablations.running.doctor.leftovers import check_drafts, move_aside
from ablations.running.record import image_labels, outcomes
from ablations.running.record.leases import Leases
from ablations.running.record.schema import NewerSchema
from ablations.running.record.study_paths import StudyPaths
from ablations.running.record.trial_record import TrialRecord
from senet_core.bounded import read_bounded
from senet_core.words import counted

ASIDE = "outcomes.aside"
"""The folder beside the outcomes to which files that no line names are moved."""

_SHOWN = 5
"""How many trials are reported one by one."""


def check_outcomes(paths: StudyPaths, *, fix: bool) -> Iterator[Finding]:
    """Yield findings on the outcomes of a study's trials.

    Args:
        paths: of the study.
        fix: move files of no finished trial aside, and remove what was not written to its end.
    """
    there = sorted(paths.outcomes.glob(f"*{outcomes.SUFFIX}"))
    leases = Leases(paths.leases)
    training = {key for key in leases.held() if not leases.is_stale(key)}
    # read last: a sweep writes the file, then the line, and then gives its lease back
    try:
        finished = paths.open_record().finished
    except RecordError:
        return  # said where the record is looked at
    named, findings = set(), []
    for line in finished.values():
        path, found = _check_trial(paths, line)
        named.add(path)
        findings += [] if found is None else [found]
    yield from findings[:_SHOWN]
    if findings[_SHOWN:]:
        more = f"{paths.study}: the outcomes of {counted(len(findings) - _SHOWN, 'more trial')} are missing or damaged"
        yield problem(more, findings[0].how_to_mend)
    for path in there:
        if path not in named and outcomes.key_of(path) not in training:
            found = warning(
                f"{path} has outcomes that no finished trial names: a sweep died, or another one finished the trial",
                f"`fix=True` moves it to {paths.results / ASIDE}; a trial that is trained again has them again",
            )
            yield mended(found, partial(move_aside, path, paths.results / ASIDE), fix=fix)
    for path in sorted(paths.outcomes.glob(f"*{image_labels.SUFFIX}")):
        yield from _check_labels(path, fix=fix)
    yield from check_drafts(paths.outcomes.glob(".*.partial"), fix=fix)
    kept = len(named - {None}) - len(findings)
    if kept > 0:
        yield ok(f"{paths.outcomes}: the outcomes of {counted(kept, 'trial')}, as the record says")


def _check_trial(paths: StudyPaths, line: TrialRecord) -> tuple[Path | None, Finding | None]:
    """Return the file that a line names, and what is wrong with it; None where it names none, or nothing is."""
    path = None
    try:
        path = outcomes.outcomes_file(paths.results, line)
        outcomes.read_outcomes(paths.results, line)
    except RecordError as error:
        said, _, mend = str(error).partition("; ")
        return path, problem(
            f"{paths.study}, trial {line.key[:64]}: {said}",
            mend or "correct or remove its line in trials.jsonl",
        )
    return path, None


def _check_labels(path: Path, *, fix: bool) -> Iterator[Finding]:
    try:
        found = image_labels.ImageLabels.from_bytes(read_bounded(path, image_labels.MOST_BYTES))
        if image_labels.labels_file(path.parents[1], found.data_digest, len(found.labels)) != path:
            raise ValueError("it is not named after its images")
    except NewerSchema as error:
        yield warning(
            f"the labels {path}: {str(error).partition(';')[0]}", "install that version; remove nothing"
        )
    except (OSError, ValueError) as error:
        why = (error.strerror or error) if isinstance(error, OSError) else error
        said = warning(
            f"the labels {path} are damaged: {why}",
            "`fix=True` removes them, and the next `ablate run` writes them again",
        )
        yield mended(said, partial(path.unlink, missing_ok=True), fix=fix)
