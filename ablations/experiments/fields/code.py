"""The code of an experiment, by its content: changed code is another trial."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from ablations.errors import StudyError
from senet_core.bounded import MIB, read_bounded

MOST_BYTES = 256 * MIB
MOST_FILES = 10_000
_DIGITS = 16


def code_digests(paths: Iterable[str], home: str) -> dict[str, str]:
    """Return a digest for each file or folder, by the path as it was given.

    Hidden files, `__pycache__` and compiled files do not count.

    Args:
        paths: relative to `home`, or absolute.
        home: the folder of the study.

    Raises:
        StudyError: one cannot be read, or holds too much.
    """
    return {path: _digest(path, Path(home) / Path(path).expanduser()) for path in paths}


def named_files(arguments: Iterable[str], home: str) -> tuple[str, ...]:
    """Return the arguments that are files below the folder of the study: the code, where nobody says it."""
    found = []
    for argument in arguments:
        path = Path(home) / argument
        if (
            not Path(argument).is_absolute()
            and "\0" not in argument
            and len(argument) < 4096
            and path.is_file()
        ):
            found.append(argument)
    return tuple(dict.fromkeys(found))


def changed(before: Mapping[str, str], home: str) -> list[str]:
    """Return which of the recorded files and folders have another content now, or are gone."""
    now = []
    for path, digest in before.items():
        try:
            same = code_digests([path], home)[path] == digest
        except StudyError:
            same = False
        if not same:
            now.append(path)
    return now


def _digest(name: str, path: Path) -> str:
    state, total = hashlib.sha256(), 0
    try:
        if path.is_file():
            return hashlib.sha256(read_bounded(path, MOST_BYTES)).hexdigest()[:_DIGITS]
        if not path.is_dir():
            raise StudyError(f"experiment.code: there is no file or folder {name!r} in {path.parent}")
        for number, file in enumerate(_files(path)):
            content = read_bounded(file, MOST_BYTES)
            total += len(content)
            if number >= MOST_FILES or total > MOST_BYTES:
                raise StudyError(
                    f"experiment.code: {name!r} holds more than {MOST_FILES:,} files or {MOST_BYTES // MIB} MiB: name"
                    " the code alone"
                )
            state.update(
                f"{file.relative_to(path).as_posix()}\0{len(content)}\0".encode(errors="surrogateescape")
            )
            state.update(content)
    except OSError as error:
        raise StudyError(f"experiment.code: cannot read {name!r}: {error.strerror or error}") from error
    return state.hexdigest()[:_DIGITS]


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        inner = path.relative_to(folder).parts
        hidden = any(part.startswith(".") or part == "__pycache__" for part in inner)
        if path.is_file() and not hidden and path.suffix not in (".pyc", ".pyo"):
            yield path
