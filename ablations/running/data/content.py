"""Whether a prepared file holds what its header says, checked once in a process for each state of the file.

The check is of the whole file: test images go into the checksum, too, also for a trial that must not see them. Nothing
of them leaves `check_content`, which answers with yes or no. Source of the times: CIFAR-10 (184 MB) takes 0.1 s for the
checksum and 0.5 s for means and deviations, on one core.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from ablations.running.data.prepared import TENSORS, Prepared, damaged, digest_of, load
from ablations.running.data.writing import channel_statistics

FileState = tuple[int, int, int, int, int]
"""Device, inode, size in bytes, and times of the last change of content and of anything (ns); nobody sets the last."""

_checked: dict[FileState, str] = {}


def file_state(path: Path) -> FileState | None:
    """Return what tells one state of a file from any other; None where there is no file."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def check_content(path: Path) -> str:
    """Return the digest of a prepared file, after comparing it and the statistics with the content.

    Raises:
        DataError: the file is missing or damaged.
    """
    state = file_state(path)
    if state is None or state not in _checked:
        whole = load(path)
        verify(whole)
        if (
            state is None or file_state(path) != state
        ):  # written to while it was read: checked again the next time
            return whole.digest
        _checked[state] = whole.digest
    return _checked[state]


def checked_contents() -> Mapping[FileState, str]:
    """Return which states of files this process has checked, and their digests, for those that it starts."""
    return dict(_checked)


def take_over_checks(checked: Mapping[FileState, str]) -> None:
    """Take over what the process that started this one has checked, instead of reading whole files again."""
    _checked.update(checked)


def verify(prepared: Prepared) -> None:
    """Read the whole prepared file, and compare its digest and its statistics with those in its header.

    Raises:
        DataError: they differ.
    """
    whole = load(prepared.path)
    arrays = [getattr(whole, key).numpy() for key in TENSORS]
    if digest_of(whole.classes, arrays) != whole.digest:
        raise damaged(prepared.path, "its content does not match its digest")
    if channel_statistics(whole.train_images.numpy()) != (whole.mean, whole.std):
        raise damaged(prepared.path, "its means and deviations are not those of its images")


def changed_in_place(path: Path, before: FileState | None) -> bool:
    """Return whether a file was written to since it was opened; one that took its place is not meant."""
    now = file_state(path)
    return before is not None and now is not None and now[:2] == before[:2] and now != before
