"""What of a clone is in git, or may come to be: reports and records that every other clone has, too."""

from __future__ import annotations

import subprocess
from pathlib import Path

from senet_core.errors import UserError

_FOLDERS = ("results", "reports")


def tracked_files(folder: Path) -> frozenset[str]:
    """Return the files of results/ and reports/ that are in git, by their path within the clone.

    Where there is no git, all of them.

    Raises:
        UserError: git cannot read the clone.
    """
    return _listed(folder, "--cached")


def shareable_files(folder: Path) -> frozenset[str]:
    """Return the files of results/ and reports/ that git does not ignore; where there is no git, all of them.

    Raises:
        UserError: git cannot read the clone.
    """
    return _listed(folder, "--cached", "--others", "--exclude-standard")


def _listed(folder: Path, *options: str) -> frozenset[str]:
    paths = (path for name in _FOLDERS for path in (folder / name).rglob("*") if path.is_file())
    files = frozenset(path.relative_to(folder).as_posix() for path in paths)
    if not (folder / ".git").exists():  # an unpacked archive; a repository around it knows nothing of it
        return files
    command = ["git", "-C", str(folder), "ls-files", "-z", *options, "--", *_FOLDERS]
    try:
        done = subprocess.run(command, capture_output=True, check=False)
    except FileNotFoundError:
        return files
    if done.returncode:
        why = (done.stderr.decode("utf-8", "replace").strip().splitlines() or ["it did not say why"])[-1]
        raise UserError(f"git cannot list the files of {folder}: {why}")
    return files.intersection(done.stdout.decode("utf-8", "surrogateescape").split("\0"))
