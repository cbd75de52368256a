"""Finding one trial of a study by its key."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from ablations.errors import RecordError
from senet_core.errors import UserError, unknown

if TYPE_CHECKING:
    from ablations.running.record.trial_record import TrialRecord


def complete_key(given: str, known: Iterable[str], where: str) -> str:
    """Return the one key that begins with what was given.

    Raises:
        UserError: none does, or several do.
    """
    found = sorted({key for key in known if given and key.startswith(given)})
    if len(found) == 1:
        return found[0]
    if not found:
        raise UserError(f"no trial {given!r} in {where}; `ablate report` lists the keys")
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
    from ablations.running.record.study_paths import StudyPaths
    from ablations.running.record.trial_file import FILE_NAME

    name = Path(study).stem if Path(study).suffix in (".yaml", ".yml") else study
    record = StudyPaths(name, results_dir, Path()).open_record().trials
    if not record.lines:
        known = sorted(path.parent.name for path in results_dir.glob(f"*/{FILE_NAME}"))
        raise unknown(f"study with a record in {results_dir}", name, known, error=RecordError)
    lines = {**record.failed, **record.finished}
    return lines[complete_key(key, lines, str(record.path))]
