"""What of a clone is in git, or may come to be: reports and records that every other clone has, too."""

from __future__ import annotations

import subprocess
from pathlib import Path

from senet_core.errors import UserError

_PLACES = ("results", "reports")


def tracked_files(folder: Path) -> frozenset[str]:
    """Give the files of results/ and reports/ that are in git, by their path within the clone.

    Where there is no git, all of them.

    Raises:
        UserError: git cannot read the clone.
    """
    return _listed(folder, "--cached")


def shareable_files(folder: Path) -> frozenset[str]:
    """Give the files of results/ and reports/ that git does not ignore; where there is no git, all of them.

    Raises:
        UserError: git cannot read the clone.
    """
    return _listed(folder, "--cached", "--others", "--exclude-standard")


def _listed(folder: Path, *options: str) -> frozenset[str]:
    files = {
        path.relative_to(folder).as_posix()
        for place in _PLACES
        for path in (folder / place).rglob("*")
        if path.is_file()
    }
    if not (folder / ".git").exists():  # an unpacked archive; a repository around it knows nothing of it
        return frozenset(files)
    command = ["git", "-C", str(folder), "ls-files", "-z", *options, "--", *_PLACES]
    try:
        done = subprocess.run(command, capture_output=True, check=False)
    except FileNotFoundError:
        return frozenset(files)
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise UserError(
            f"git cannot list the files of {folder}: {said[-1] if said else 'it did not say why'}"
        )
    return frozenset(done.stdout.decode("utf-8", "surrogateescape").split("\0")) & files
