"""Checks of the weights that studies keep: those of finished trials, undamaged; that some are not there is no fault."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from ablations.errors import RecordError
from ablations.running.doctor.finding import Finding, mended, ok, warning
from ablations.running.doctor.leftovers import check_drafts, move_aside
from ablations.running.record import outcomes, weights
from ablations.running.record.leases import Leases
from ablations.running.record.study_paths import StudyPaths
from senet_core.words import counted

ASIDE = "weights.aside"
"""The folder beside the weights to which files that no line names are moved."""


def check_weights(paths: StudyPaths, *, fix: bool) -> Iterator[Finding]:
    """Yield findings on the files of weights of a study, which are read completely.

    Args:
        paths: of the study.
        fix: move files of no finished trial aside, and remove what was not written to its end.
    """
    aside = paths.results / ASIDE
    there = sorted(paths.weights.glob(f"*{weights.SUFFIX}"))
    leases = Leases(paths.leases)
    training = {key for key in leases.held() if not leases.is_stale(key)}
    # read last: a sweep writes the file, then the line, and then gives its lease back
    try:
        finished = paths.open_record().finished
    except RecordError:
        return  # said where the record is looked at
    lines = {weights.weights_file(paths.results, line): line for line in finished.values()}
    whole = 0
    for path in there:
        if path in lines:
            try:
                weights.read_weights(paths.results, lines[path])
                whole += 1
            except RecordError as error:
                said, _, mend = str(error).partition("; ")
                yield warning(f"{paths.study}: {said}", mend)
        elif outcomes.key_of(path) not in training:
            found = warning(
                f"{path} has weights that no finished trial names: a sweep died, or another one finished the trial",
                f"`fix=True` moves it to {aside}; a trial that is trained again has them again",
            )
            yield mended(found, partial(move_aside, path, aside), fix=fix)
    yield from check_drafts(paths.weights.glob(".*.partial"), fix=fix)
    if whole:
        yield ok(f"{paths.weights}: the weights of {counted(whole, 'trial')}, as the record says")
