"""Leases: which process trains which trial, so that no two sweeps train the same one at once.

A lease is a file that is made only where none is. Its holder refreshes it while it works. It is stale when its holder
is known to be dead, or, where that cannot be known (another machine, another container, a file that does not say whose
it is), when it was not refreshed for a while that this process has watched. Wall clocks are never compared, so that a
clock that jumps, or two that differ, take no lease from anybody.

A holder that was silent for too long (its machine slept, somebody stopped it) may lose its lease while it knows nothing
of it. So it looks at its lease again when it refreshes it, its worker before it begins and while it trains, and the
sweep before it records a result.
"""

from __future__ import annotations

import errno
import os
import time
import uuid
from contextlib import suppress
from pathlib import Path

from ablations.running.machine.durable import is_abandoned, not_written
from ablations.running.machine.holder import Holder
from ablations.running.machine.locks import locked
from senet_core.bounded import KIB, NOT_OURS, read_bounded

FOLDER = "leases"
MOST_BYTES = 64 * KIB
"""Limit of a lease; one has about 300 bytes."""
STALE_SECONDS = 90.0
WATCHES = 10
"""So often, at the least, a lease is looked at before it counts as silent: a process that was itself stopped for a
while has seen nothing of what others did meanwhile."""


class Leases:
    """The leases of one study.

    Args:
        folder: shared by all sweeps of the study.
        stale_seconds: how long a lease whose holder cannot be seen may stay without a refresh; STALE_SECONDS if None.
    """

    def __init__(self, folder: Path, *, stale_seconds: float | None = None) -> None:
        self._folder = folder
        self._stale_seconds = STALE_SECONDS if stale_seconds is None else stale_seconds
        self._me = Holder.this_process()
        self._held: set[str] = set()
        self._seen: dict[str, _Silence] = {}

    @property
    def token(self) -> str:
        """The name under which this process holds its leases."""
        return self._me.token

    def take(self, key: str) -> bool:
        """Take a trial, and return True; False where another sweep has it.

        Raises:
            DiskError: the disk is full or failing.
        """
        path = self._path(key)
        taken = self._make(path) or (self._remove_stale(key) and self._make(path))
        if taken:
            self._held.add(key)
        return taken

    def refresh(self) -> list[str]:
        """Renew the leases of this process, and return the trials whose lease it has lost: it holds them no more."""
        lost = []
        for key in sorted(self._held):
            if self.holds(key):
                with suppress(OSError):
                    os.utime(self._path(key))
            else:  # this process was silent for too long
                self._held.discard(key)
                lost.append(key)
        return lost

    def holds(self, key: str) -> bool:
        """Return whether this process has a trial, as the lease says now."""
        return key in self._held and names(self._path(key), self._me.token)

    def release(self, key: str) -> None:
        """Release a trial."""
        if key not in self._held:
            return
        self._held.discard(key)
        path, aside = self._path(key), self._draft(key)
        if not names(path, self._me.token):
            return
        with suppress(FileNotFoundError):
            # First out of the way and then looked at: another sweep may take the lease over at this moment.
            os.rename(path, aside)
            if not names(aside, self._me.token):
                with suppress(FileExistsError):
                    _link(aside, path)
            aside.unlink(missing_ok=True)

    def clear_dead(self) -> None:
        """Remove the leases of processes that are known to be dead, and the drafts that nobody finishes."""
        for key in self.held():
            holder = self.holder(key)
            if holder is not None and holder.is_dead():
                self._remove_stale(key)
        for path in self.drafts_of_the_dead():
            path.unlink(missing_ok=True)

    def drafts_of_the_dead(self) -> list[Path]:
        """Return the drafts of leases whose writer is dead, or that are too old to be under way."""
        return [path for path in sorted(self._folder.glob(".*.new")) if is_left_behind(path)]

    def release_all(self) -> None:
        """Release every trial that this process holds."""
        for key in list(self._held):
            self.release(key)

    def holder(self, key: str) -> Holder | None:
        """Return who has a trial; None where nobody has, or the file does not say."""
        return holder_in(self._path(key))

    def is_free(self, key: str) -> bool:
        """Return whether a trial may be taken: it has no lease, or a stale one."""
        return not os.path.lexists(self._path(key)) or self.is_stale(key)

    def is_stale(self, key: str) -> bool:
        """Return whether the holder of a trial is dead, or was silent for too long while this process watched."""
        holder = self.holder(key)
        if holder is not None and holder.is_near():
            return holder.is_dead()  # alive: however busy, it is not for us to take its trial
        try:
            found = self._path(key).lstat()
        except OSError:
            return False  # given back meanwhile
        stamp = (found.st_ino, found.st_mtime_ns)
        if key not in self._seen or self._seen[key].stamp != stamp:
            self._seen[key] = _Silence(stamp)
        return self._seen[key].watched(self._stale_seconds / WATCHES) > self._stale_seconds

    def held(self) -> list[str]:
        """Return the trials that somebody holds."""
        return sorted(path.stem for path in self._folder.glob("*.json"))

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.json"

    def _draft(self, key: str) -> Path:
        return self._folder / f".{key}.{uuid.uuid4().hex}.new"

    def _make(self, path: Path) -> bool:
        """Make a lease in one step: a link to a finished file, which fails where the name is taken."""
        own = self._draft(path.stem)
        while True:
            try:
                self._write(own)
                _link(own, path)
            except FileExistsError:
                return False
            except FileNotFoundError:  # another sweep ended and removed the empty folder
                continue
            finally:
                with suppress(OSError):  # the error under way says more
                    own.unlink(missing_ok=True)
            return True

    def _write(self, path: Path) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            path.write_text(self._me.to_text(), encoding="utf-8")
        except FileNotFoundError:
            raise
        except OSError as error:
            raise not_written(f"the lease {path}", error, chosen=False) from error

    def _remove_stale(self, key: str) -> bool:
        """Remove a stale lease; False where it is not stale.

        Two sweeps may find it stale at once. Whoever comes second checks again, and sees the first one's new lease.
        """
        if not self.is_stale(key):
            return False
        with locked(self._folder.with_name(f".{self._folder.name}.lock"), interruptible=False):
            if self.is_stale(key):
                self._path(key).unlink(missing_ok=True)
        return True


class _Silence:
    """How long a lease was watched without a change; `stamp` tells one state of its file from another."""

    def __init__(self, stamp: tuple[int, int]) -> None:
        self.stamp, self._seconds, self._looked = stamp, 0.0, time.monotonic()

    def watched(self, most: float) -> float:
        """Return the seconds of silence, of which the time since the last look gives no more than `most`."""
        now = time.monotonic()
        self._seconds += min(now - self._looked, most)
        self._looked = now
        return self._seconds


def holder_in(path: Path) -> Holder | None:
    """Return the holder that a file names; None where there is no file, or it does not say."""
    try:
        return _read(path)
    except (OSError, ValueError):
        return None


def names(lease: Path, token: str) -> bool:
    """Return whether a lease is that of the process with a token; True, too, where it cannot be read just now."""
    try:
        return _read(lease).token == token
    except (FileNotFoundError, ValueError):
        return False
    except OSError as error:  # a disk or a network that fails for a moment has given the trial to nobody
        return error.errno not in NOT_OURS


def _read(path: Path) -> Holder:
    return Holder.from_text(read_bounded(path, MOST_BYTES).decode("utf-8"))


def is_left_behind(path: Path) -> bool:
    """Return whether a file that names its writer is of a dead one, or too old to be in use where that is not known."""
    holder = holder_in(path)
    if holder is not None and holder.is_near():
        return holder.is_dead()
    return is_abandoned(path)


def _link(own: Path, path: Path) -> None:
    """Link a file under a second name, or copy it where the file system has no links (FAT, some network drives).

    Raises:
        FileExistsError: the name is taken.
    """
    try:
        os.link(own, path)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS):
            raise
        with path.open("xb") as file:
            file.write(read_bounded(own, MOST_BYTES))
