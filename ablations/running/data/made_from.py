"""The folder or archive that a prepared file was made from, and whether it is still as it was then.

Reading every image again would take as long as preparing them, so names, sizes and times are compared.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path

from ablations.errors import DataError
from ablations.running.data import cifar
from ablations.running.data.file_trees import Folder, open_file_tree
from ablations.running.data.folders import find_images
from ablations.running.data.junk import without_junk
from senet_core.bounded import MIB, open_plain


class SourceState(Enum):
    """How a source is, beside what was prepared from it."""

    SAME = "is as it was"
    TOUCHED = "has the same names and sizes, and other times of change"
    CHANGED = "has other files, or files of other sizes"
    GONE = "is not there"
    UNKNOWN = "was not noted"


@dataclass(frozen=True)
class MadeFrom:
    """What is noted of a source when it is prepared.

    Attributes:
        path: absolute, of the folder or archive.
        files: digest of the names and sizes of the files, or of an archive's size and the bytes at both of its ends.
        times: digest of the times at which these were changed, in nanoseconds.
        parts: files and folders in `path` that belong to the data set; all of it where there are none.
    """

    path: str
    files: str
    times: str
    parts: tuple[str, ...] = ()

    def to_text(self) -> str:
        """Return it as the header of a prepared file has it."""
        said = {name: value for name, value in asdict(self).items() if value != ()}
        return json.dumps(said)  # in ASCII: names of files may be any bytes

    @classmethod
    def from_text(cls, text: str) -> MadeFrom:
        """Read what `to_text` returned.

        Raises:
            ValueError, TypeError, KeyError: it is none of ours.
        """
        fields = json.loads(text)
        path, files, times = (fields[name] for name in ("path", "files", "times"))
        found = cls(path, files, times, tuple(fields.get("parts", ())))
        if not all(
            isinstance(value, str) and "\0" not in value
            for value in (found.path, found.files, found.times, *found.parts)
        ):
            raise TypeError("not all of it is text")
        return found


def note_source(path: Path, parts: tuple[str, ...] = ()) -> MadeFrom:
    """Return what is noted of a folder or archive.

    Args:
        path: of it.
        parts: see `MadeFrom`; what is not there is passed over.

    Raises:
        DataError: it is missing or cannot be read.
    """
    tree = open_file_tree(path)
    try:
        if isinstance(tree, Folder):
            names = _files_of(path, parts) if parts else _files(tree)
            found = ((name, os.stat(path / name)) for name in names)
            states = [(name, state.st_size, state.st_mtime_ns) for name, state in found]
        else:
            state = os.stat(path)
            states = [(_ends(path), state.st_size, state.st_mtime_ns)]
    except OSError as error:
        raise DataError(f"cannot read {str(path)!r}: {error.strerror or error}") from error
    return MadeFrom(
        os.path.realpath(path),
        _digest(f"{name}\0{size}" for name, size, _ in states),
        _digest(str(changed) for _, _, changed in states),
        parts,
    )


def _files_of(path: Path, parts: Iterable[str]) -> list[str]:
    """Return the files that belong to a data set, beside which others may lie in the same folder."""
    found = [part for part in parts if (path / part).is_file()]
    for part in parts:
        if (path / part).is_dir():
            names = without_junk(Folder(path / part).names())
            found += [f"{part}/{name}" for name in names if not name.endswith("/")]
    return sorted(found)


def _files(tree: Folder) -> list[str]:
    """Return the images of a folder; where it has none in classes, the original files of a data set."""
    names = tree.names()
    try:
        images = find_images(names, tree.path)
    except DataError:
        files = [name for name in without_junk(names) if not name.endswith("/")]
        return [name for name in files if name.rpartition("/")[2] in cifar.ORIGINALS] or files
    return sorted(images.train.names + images.test.names)


def _ends(archive: Path) -> str:
    with open_plain(archive) as file:
        first = file.read(MIB)
        file.seek(max(0, os.stat(archive).st_size - MIB))
        return hashlib.sha256(first + file.read(MIB)).hexdigest()


def _digest(lines: Iterable[str]) -> str:
    state = hashlib.sha256()
    for line in lines:
        state.update(os.fsencode(line) + b"\n")
    return state.hexdigest()


def compare_source(noted: MadeFrom | None) -> SourceState:
    """Return how a source is now.

    Raises:
        DataError: it is there and cannot be read.
    """
    if noted is None:
        return SourceState.UNKNOWN
    if not os.path.exists(noted.path):
        return SourceState.GONE
    now = note_source(Path(noted.path), noted.parts)
    if now.files != noted.files:
        return SourceState.CHANGED
    return SourceState.SAME if now.times == noted.times else SourceState.TOUCHED
