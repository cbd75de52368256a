"""The plan that was run last, in results/STUDY/plan.json: what is asked for again where nothing else is said.

One study's name holds many plans, for the command line may change any field. Trials of all of them stand in one record.
"""

from __future__ import annotations

import errno
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from ablations.errors import RecordError
from ablations.planning.study import Study
from ablations.planning.typed_study import TypedStudy, plan_digest, typed
from ablations.running.machine.durable import not_written, write_durably
from senet_core.bounded import MIB, read_bounded

FILE_NAME = "plan.json"
VERSION = 1


@dataclass(frozen=True)
class LastPlan:
    """The plan that was run last.

    Attributes:
        words: the study and its changes as they are typed, with absolute paths; see `TypedStudy`.
        digest: of the plan; see `plan_digest`.
        data_dir: absolute path of the prepared data sets.
    """

    words: tuple[str, ...]
    digest: str
    data_dir: str

    @property
    def typed(self) -> TypedStudy:
        """The study as it was typed."""
        return TypedStudy.from_words(self.words)


def plan_of(study: Study, data_dir: Path) -> LastPlan:
    """Return the plan that a study is."""
    return LastPlan(typed(study).from_anywhere().words, plan_digest(study), str(data_dir.absolute()))


def read_last_plan(folder: Path) -> LastPlan | None:
    """Return the plan in a study's results folder; None where there is none, as beside records of others.

    Raises:
        RecordError: it cannot be read, or a newer version wrote it.
    """
    path = folder / FILE_NAME
    try:
        content = json.loads(read_bounded(path, MIB))
        version = content["version"]
        if version != VERSION:
            raise ValueError(f"its version is {version!r}, and this program reads {VERSION}")
        plan = LastPlan(tuple(content["words"]), content["digest"], content["data_dir"])
        if not all(
            isinstance(text, str) and "\0" not in text for text in (*plan.words, plan.digest, plan.data_dir)
        ):
            raise TypeError("its words are no texts")
        _ = plan.typed
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:  # nothing can be there
            return None
        why = error.strerror if isinstance(error, OSError) else f"{type(error).__name__}: {error}"
        raise RecordError(f"cannot read which plan was run last, {path}: {why}") from error
    return plan


def write_last_plan(folder: Path, plan: LastPlan) -> None:
    """Write the plan durably; a reader sees the old one or the new one.

    Raises:
        DiskError: it cannot be written.
    """
    path = folder / FILE_NAME
    text = json.dumps({"version": VERSION, **asdict(plan)}, indent=1) + "\n"
    try:
        write_durably(path, text.encode())
    except OSError as error:
        raise not_written(f"the plan {path}", error, chosen=False) from error
