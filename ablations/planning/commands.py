"""Command lines that a person types: everything that prints one makes it here, so that it works when it is pasted."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from ablations.planning.design import Design
from ablations.planning.networks.data_path import absolute_path
from ablations.planning.row import Row
from ablations.planning.study import Study
from ablations.planning.typed_study import typed

_RESULTS, _REPORTS, _DATA, _URI = "--results-dir", "--reports-dir", "--data-dir", "--tracking-uri"
_TRAINING = (_RESULTS, _REPORTS, _DATA, _URI)
ACCEPTED: Mapping[str, tuple[str, ...]] = {
    "dashboard": (_RESULTS, _REPORTS),
    "data prepare": (_DATA,),
    "doctor": (_RESULTS, _DATA, _URI),
    "plan": (_RESULTS, _REPORTS, _DATA),
    "report": (_RESULTS, _REPORTS),
    "probe": (_RESULTS, _REPORTS, _DATA),
    "reproduce": (_RESULTS, _DATA),
    "retry": _TRAINING,
    "run": _TRAINING,
    "status": (_RESULTS, _REPORTS),
    "sync": (_RESULTS, _REPORTS, _URI),
    "test": (_RESULTS, _REPORTS, _DATA),
    "ui": (_RESULTS, _URI),
    "why": (_RESULTS, _REPORTS),
}
"""By command, the options of places that it takes."""


@dataclass(frozen=True)
class Places:
    """Where a study's files are, as the command line was told; what is None is not said.

    Attributes:
        results_dir: holds a folder for each study.
        reports_dir: likewise.
        data_dir: where the prepared data sets are.
        tracking_uri: the MLflow store; None where it is found by itself.
    """

    results_dir: Path | None = None
    reports_dir: Path | None = None
    data_dir: Path | None = None
    tracking_uri: str | None = None

    def words(self, command: str) -> list[str]:
        """Return the options that a command takes, with absolute paths."""
        folders = {_RESULTS: self.results_dir, _REPORTS: self.reports_dir, _DATA: self.data_dir}
        said = {option: os.path.abspath(folder) for option, folder in folders.items() if folder is not None}
        if self.tracking_uri is not None:
            said[_URI] = self.tracking_uri
        return [word for option in ACCEPTED[command] if option in said for word in (option, said[option])]

    def command(self, name: str, *words: str) -> str:
        """Return a command that asks for no study, such as `ui`."""
        return f"{program()} {name} {shlex.join([*words, *self.words(name)])}".rstrip()


@dataclass(frozen=True)
class StudyCommands:
    """The commands for one study.

    Attributes:
        study: with what the command line changed in it.
        places: where its files are; None for commands that are typed where the study was typed, with no place told.
    """

    study: Study
    places: Places | None = field(default=None)

    def __call__(self, name: str, *words: str) -> str:
        """Return a command for the study; `words` follow it."""
        asked = typed(self.study)
        if self.places is None:
            return f"ablate {name} {shlex.join([*asked.words, *words])}"
        said = [*asked.from_anywhere().words, *self.places.words(name), *words]
        return f"{program()} {name} {shlex.join(said)}"

    def row(self, design: Design, row: Row) -> str:
        """Return the command that trains one row, or all of them, where the study decides what is trained."""
        return self("run", *(() if design.kind.decides else ("--only", row.label)))


@cache
def program() -> str:
    """Return how `ablate` is called here: by its name where the shell finds it, else by its path."""
    beside = Path(sys.executable).with_name("ablate")
    return "ablate" if shutil.which("ablate") or not beside.exists() else shlex.quote(str(beside))


def prepare_command(
    name: str, data_dir: Path, *, path: str | None = None, size: int | None = None, again: bool = False
) -> str:
    """Return the command that makes a data set ready, or again; `path` and `size` are those of a folder of images."""
    own = ["--path", absolute_path(path)] if path else []
    own += ["--size", str(size)] if size else []
    own += ["--refresh"] if again else []
    return Places(data_dir=data_dir).command("data prepare", name, *own)
