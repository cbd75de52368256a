"""Finding one trial of a study by its key."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ablations.errors import RecordError
from senet_core.errors import UserError, unknown

if TYPE_CHECKING:
    from ablations.running.record.trial_record import TrialRecord


def complete_key(
    given: str,
    known: Collection[str],
    where: str,
    *,
    lists: str,
    written_as: Mapping[str, Collection[str]] = {},
) -> str:
    """Return the one key that begins with what was given.

    Args:
        given: a key or its beginning; a key that the trial had when it said "auto" will do.
        known: keys.
        where: they are, in words.
        lists: the command that lists them.
        written_as: keys by those that they had, see `TrialFile.written_as`.

    Raises:
        UserError: none does, or several do.
    """
    before = {key for old, keys in written_as.items() if given and old.startswith(given) for key in keys}
    found = sorted({key for key in known if given and (key.startswith(given) or key in before)})
    if len(found) == 1:
        return found[0]
    if not found:
        raise UserError(f"no trial {given!r} in {where}; their keys are in the report: {lists}")
    raise UserError(f"{given!r} names {len(found)} trials in {where}: {', '.join(found[:4])}")


def find_line(study: str, key: str, results_dir: Path) -> TrialRecord:
    """Return the newest finished line of a trial, or the newest failed one.

    Args:
        study: its name, or the path of its file.
        key: the trial's key or its beginning.
        results_dir: where the records are.

    Raises:
        RecordError: there is no record.
        UserError: there is no such trial in it.
    """
    from ablations.planning.commands import Places, program
    from ablations.planning.typed_study import TypedStudy
    from ablations.running.record.study_paths import StudyPaths
    from ablations.running.record.trial_file import FILE_NAME

    name = TypedStudy(study).name
    paths = StudyPaths(name, results_dir, Path("reports"))
    record = paths.open_record().trials
    if not record.lines:
        known = sorted(path.parent.name for path in results_dir.glob(f"*/{FILE_NAME}"))
        raise unknown(f"study with a record in {results_dir}", name, known, error=RecordError)
    lines = {**record.failed, **record.finished}
    words = [*TypedStudy(study).from_anywhere().words, *Places(results_dir).words("report")]
    report = f"{program()} report {shlex.join(words)}"
    return lines[complete_key(key, lines, str(record.path), lists=report, written_as=record.written_as)]
