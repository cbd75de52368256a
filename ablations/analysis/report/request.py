"""The request of a report, in reports/STUDY/request.json, with which the same report is made again."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ablations.errors import RecordError
from ablations.planning.commands import program
from ablations.planning.study import Study
from ablations.planning.typed_study import TypedStudy, plan_digest, typed
from senet_core.bounded import MIB, read_bounded

FILE_NAME = "request.json"


@dataclass(frozen=True)
class Request:
    """The words of a report's command line.

    Attributes:
        typed: the study and what was changed in it, as typed.
        formats: of the report.
        pairs: axes of which all pairs are compared.
        plan: digest of the plan that is reported; "" where it is not known.
        tables: files that it wrote into its folder of tables, and that the next report may remove.
    """

    typed: tuple[str, ...]
    formats: tuple[str, ...]
    pairs: tuple[str, ...]
    plan: str = ""
    tables: tuple[str, ...] = ()

    @property
    def asked(self) -> TypedStudy:
        """The study as it was typed."""
        return TypedStudy.from_words(self.typed)

    def is_of(self, study: Study) -> bool:
        """Return whether the report is of a study as it is planned now."""
        if self.plan:
            return self.plan == plan_digest(study)
        return self.asked.changes == typed(study).changes

    def to_json(self) -> str:
        """Return the file's content."""
        fields = {
            name: value for name, value in asdict(self).items() if name not in ("plan", "tables") or value
        }
        return json.dumps(fields, ensure_ascii=False) + "\n"


def read_request(folder: Path) -> Request:
    """Read how the report in a folder was asked for.

    Raises:
        RecordError: the file is missing, cannot be read or is not what it should be.
    """
    path = folder / FILE_NAME
    try:
        content = json.loads(read_bounded(path, MIB))
        plan = content.get("plan", "")
        if not isinstance(plan, str):
            raise ValueError(f"not the digest of a plan: {plan!r}")
        words, formats, pairs = content["typed"], content["formats"], content.get("pairs", ())
        tables = _words(content.get("tables", ()))
        request = Request(_words(words), _words(formats), _words(pairs), plan, tables)
        _ = request.asked
    except FileNotFoundError as error:
        raise RecordError(
            f"{path} is missing, which says how the report is made: {_again(folder)}"
        ) from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise RecordError(f"cannot read {path}: {type(error).__name__}: {error}; {_again(folder)}") from error
    return request


def _again(folder: Path) -> str:
    return f"{program()} report {shlex.quote(folder.name)}"


def _words(given: Sequence[object]) -> tuple[str, ...]:
    if not isinstance(given, list | tuple) or not all(isinstance(word, str) for word in given):
        raise ValueError(f"not a list of words: {given!r}")
    return tuple(str(word) for word in given)
