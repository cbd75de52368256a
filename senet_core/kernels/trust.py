"""What may be loaded from a cache: files that only this user or root can have written, with the bytes that were tried.

A library runs with the rights of whoever loads it, and one that was cut off ends the process that loads it. So a
library is loaded only from a folder that nobody else can write to, and only if its digest is the one that was noted
when a process of its own had loaded it.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

from senet_core.bounded import KIB, MIB, too_large

LOAD_SECONDS = 60.0
MOST_LIBRARY = 64 * MIB
MOST_NOTE = 4 * KIB
_LOAD = "import ctypes, sys; ctypes.CDLL(sys.argv[1])"
_OF_OTHERS = stat.S_IWGRP | stat.S_IWOTH


def why_untrusted(folder: Path) -> str:
    """Return why others could change what lies in a folder, in one line; empty where they cannot.

    Raises:
        OSError: the folder is not there or cannot be read.
    """
    real = folder.resolve(strict=True)
    if not real.is_dir():
        return f"{folder} is no folder"
    for place in (real, *real.parents):
        status = place.stat()
        # In a sticky folder, as /tmp is, nobody can replace what belongs to another.
        open_to_others = status.st_mode & _OF_OTHERS and (place == real or not status.st_mode & stat.S_ISVTX)
        if not _ours(status):
            return f"{place} belongs to another user (number {status.st_uid})"
        if open_to_others:
            return f"{place} can be written to by other users"
    return ""


def is_noted(library: Path) -> bool:
    """Return whether a library has the bytes that `note` found loadable; False for all that is no such file."""
    try:
        noted = json.loads(_content(_note_of(library), MOST_NOTE))
        return bool(noted == _note(library.name, _content(library, MOST_LIBRARY)))
    except (OSError, ValueError, RecursionError):
        return False


def note(library: Path) -> str:
    """Load a library in a process of its own and note its digest beside it; the caller holds its lock.

    Returns:
        Why it cannot be loaded, in a few words; empty where it can.

    Raises:
        OSError, subprocess.SubprocessError: it cannot be read, tried or noted.
    """
    content = _content(library, MOST_LIBRARY)
    tried = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _LOAD, str(library)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=LOAD_SECONDS,
        check=False,
    )
    if tried.returncode < 0:
        return f"a process that loaded it was ended by signal {-tried.returncode}"
    if tried.returncode > 0:
        return (tried.stderr.strip().splitlines() or ["it cannot be loaded"])[-1]
    draft = library.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(_note(library.name, content), file)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(_note_of(library))
    return ""


def _note_of(library: Path) -> Path:
    return library.with_suffix(".json")


def _note(name: str, content: bytes) -> dict[str, str]:
    """Return what is noted; the name has the digest of source, compiler and flags in it."""
    return {"library": name, "sha256": hashlib.sha256(content).hexdigest()}


def _content(path: Path, most: int) -> bytes:
    """Read a file that is one, of at most `most` bytes, and that only this user or root can write."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_mode & _OF_OTHERS or not _ours(status):
            raise PermissionError(f"{path} is no file that only this user can write")
        if status.st_size > most:
            raise too_large(status.st_size, most)
        return b"".join(iter(lambda: os.read(descriptor, MIB), b""))
    finally:
        os.close(descriptor)


def _ours(status: os.stat_result) -> bool:
    return status.st_uid in (0, os.geteuid())
