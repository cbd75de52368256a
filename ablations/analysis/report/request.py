"""The request of a report, in reports/STUDY/request.json, with which the same report is made again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ablations.errors import RecordError

FILE_NAME = "request.json"


@dataclass(frozen=True)
class Request:
    """The words of a report's command line.

    Attributes:
        typed: the study and what was changed in it, as typed.
        formats: of the report.
        pairs: axes of which all pairs are compared.
    """

    typed: tuple[str, ...]
    formats: tuple[str, ...]
    pairs: tuple[str, ...]

    @property
    def study(self) -> str:
        """The study, by name or as a file."""
        return self.typed[0]

    @property
    def overrides(self) -> tuple[str, ...]:
        """The changes to the study's fields."""
        return self._given("--set")

    @property
    def plugins(self) -> tuple[str, ...]:
        """Plug-in files."""
        return self._given("--plugin")

    @property
    def seeds(self) -> int | None:
        """Seeds; None where the study's own were taken."""
        given = self._given("--seeds")
        return int(given[-1]) if given else None

    def to_json(self) -> str:
        """Return the file's content."""
        return json.dumps(asdict(self), ensure_ascii=False) + "\n"

    def _given(self, option: str) -> tuple[str, ...]:
        words = self.typed[1:]
        return tuple(value for name, value in zip(words[::2], words[1::2], strict=True) if name == option)


def read_request(folder: Path) -> Request:
    """Read how the report in a folder was asked for.

    Raises:
        RecordError: the file is missing, cannot be read or is not what it should be.
    """
    path = folder / FILE_NAME
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        request = Request(
            _words(content["typed"]), _words(content["formats"]), _words(content.get("pairs", ()))
        )
        _ = request.study, request.overrides, request.seeds
    except FileNotFoundError as error:
        raise RecordError(
            f"{path} is missing, which says how the report is made: ablate report {folder.name}"
        ) from error
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        raise RecordError(
            f"cannot read {path}: {type(error).__name__}: {error}; ablate report {folder.name}"
        ) from error
    return request


def _words(given: Sequence[object]) -> tuple[str, ...]:
    if not isinstance(given, list | tuple) or not all(isinstance(word, str) for word in given):
        raise ValueError(f"not a list of words: {given!r}")
    return tuple(str(word) for word in given)
