"""Files below a folder that a stranger may have made: links are not followed, and there is an end to it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from senet_core.bounded import open_plain, read_bounded
from senet_core.errors import UserError

MOST_FILES = 200_000
"""Limit of files below a folder of runs."""


def files_below(folder: Path, wanted: Callable[[str], bool]) -> list[Path]:
    """Return the files below a folder whose names are wanted, sorted by their paths.

    Raises:
        UserError: it is no folder, cannot be read, or has too many files below it.
    """
    refuse_no_folder(folder)
    found: list[Path] = []
    seen = 0

    def fail(error: OSError) -> None:
        raise UserError(
            f"cannot read {str(error.filename or folder)!r}: {error.strerror or error}"
        ) from error

    for parent, folders, names in os.walk(folder, onerror=fail):
        folders.sort()
        seen += len(names) + len(folders)
        if seen > MOST_FILES:
            raise UserError(
                f"{str(folder)!r} has more than {MOST_FILES:,} files below it; name a smaller folder"
            )
        found += [Path(parent, name) for name in sorted(names) if wanted(name)]
    return sorted(found)


def has_below(folder: Path, wanted: Callable[[str], bool]) -> bool:
    """Return whether a file below a folder is wanted; False where it is no folder, or cannot be looked at."""
    seen = 0
    for _, folders, names in os.walk(folder):
        seen += len(names) + len(folders)
        if any(map(wanted, names)) or any(map(wanted, folders)):
            return True
        if seen > MOST_FILES:
            return False
    return False


def refuse_no_folder(folder: Path) -> None:
    """Refuse what is no folder."""
    if not folder.is_dir():
        is_file = folder.exists()
        raise UserError(f"{str(folder)!r} is {'a file, not a folder' if is_file else 'not there'}")


def content_of_file(path: Path, most: int) -> bytes:
    """Return the content of a file of at most `most` bytes.

    Raises:
        UserError: it cannot be read, is no plain file, or is larger.
    """
    try:
        return read_bounded(path, most)
    except OSError as error:
        raise UserError(f"cannot read {str(path)!r}: {error.strerror or error}") from error


def has_table(path: Path, table: str) -> bool:
    """Return whether a database of SQLite has a table; nothing is written to it.

    Raises:
        UserError: it cannot be read.
    """
    address = f"{path.absolute().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(address, uri=True, timeout=20)) as connection:
            found = connection.execute("select count(*) from sqlite_master where name = ?", (table,))
            return bool(found.fetchone()[0])
    except sqlite3.Error as error:
        raise UserError(f"cannot read the database {str(path)!r}: {error}") from error


def is_sqlite(path: Path) -> bool:
    """Return whether a file is a database of SQLite."""
    try:
        with open_plain(path) as file:
            return file.read(16) == b"SQLite format 3\0"
    except OSError:
        return False
