"""Leases: which process trains which trial, so that no two sweeps train the same one at once.

A lease is a file that is made only where none is. Its holder refreshes it while it works. It is stale when its holder
is known to be dead (same machine: no process with that number and start), or, for a holder on another machine, when
it was not refreshed for a while by the clock of whoever asks. Wall clocks are never compared, so that a clock that
jumps, or two that differ, take no lease from anybody.
"""

from __future__ import annotations

import errno
import json
import os
import socket
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ablations.running.machine.durable import not_written
from ablations.running.machine.locks import locked

FOLDER = "leases"
STALE_SECONDS = 90.0


@dataclass(frozen=True)
class Holder:
    """A process, told apart from any other that ever had its number.

    Attributes:
        host: the machine's name.
        boot: identifies the machine's present run; empty where the system does not say.
        pid: the process.
        start: when the process started, in the system's own ticks since boot; 0 where unknown.
    """

    host: str
    boot: str
    pid: int
    start: int

    @classmethod
    def this_process(cls) -> Holder:
        """Describe the process that asks."""
        return cls(socket.gethostname(), _boot(), os.getpid(), process_start(os.getpid()))

    def is_dead(self) -> bool:
        """Return whether the holder is known to be gone; False where that cannot be known from here."""
        if self.host != socket.gethostname():
            return False
        if self.boot != _boot():
            return True
        if not process_exists(self.pid):
            return True
        return self.start != 0 and process_start(self.pid) != self.start

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"


class Leases:
    """The leases of one study.

    Args:
        folder: shared by all sweeps of the study.
        stale_seconds: how long a lease of another machine may stay without a refresh.
    """

    def __init__(self, folder: Path, *, stale_seconds: float = STALE_SECONDS) -> None:
        self._folder = folder
        self._stale_seconds = stale_seconds
        self._me = Holder.this_process()
        self._held: set[str] = set()
        self._seen: dict[str, tuple[Any, float]] = {}

    def take(self, key: str) -> bool:
        """Take a trial, and return True; False where another sweep has it.

        Raises:
            DiskError: the disk is full or failing.
        """
        if self._make(self._path(key)):
            self._held.add(key)
            return True
        return self._remove_stale(key) and self.take(key)

    def refresh(self) -> None:
        """Renew the leases of this process; those that others took over, it holds no more."""
        for key in list(self._held):
            if self.holder(key) == self._me:
                with suppress(OSError):
                    os.utime(self._path(key))
            else:  # this process was silent for too long: its machine slept
                self._held.discard(key)

    def release(self, key: str) -> None:
        """Release a trial."""
        if key in self._held:
            self._held.discard(key)
            if self.holder(key) == self._me:
                self._path(key).unlink(missing_ok=True)

    def clear_dead(self) -> None:
        """Remove the leases and drafts of dead processes of this machine."""
        for key in self.held():
            holder = self.holder(key)
            if holder is not None and holder.is_dead():
                self._remove_stale(key)
        for path in self._folder.glob(f".*.{self._me.host}.*.new"):
            pid = path.name.split(".")[-2]
            if pid.isdigit() and not process_exists(int(pid)):
                path.unlink(missing_ok=True)

    def release_all(self) -> None:
        """Release every trial that this process holds."""
        for key in list(self._held):
            self.release(key)

    def holder(self, key: str) -> Holder | None:
        """Return who has a trial; None where nobody has, or the file does not say."""
        try:
            return Holder(**json.loads(self._path(key).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def is_stale(self, key: str) -> bool:
        """Return whether the holder of a trial is dead, or silent for too long by this process's clock."""
        holder = self.holder(key)
        if holder is not None and holder.is_dead():
            return True
        if holder is not None and holder.host == self._me.host:
            return False  # alive: however busy, it is not for us to take its trial
        try:
            stamp = self._path(key).stat().st_mtime_ns
        except OSError:
            return False  # given back meanwhile
        now = time.monotonic()
        known, since = self._seen.get(key, (None, now))
        if known != stamp:
            self._seen[key] = (stamp, now)
            return False
        return now - since > self._stale_seconds

    def held(self) -> list[str]:
        """Return the trials that somebody holds."""
        return sorted(path.stem for path in self._folder.glob("*.json"))

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.json"

    def _make(self, path: Path) -> bool:
        """Make a lease in one step: a link to a finished file, which fails where the name is taken."""
        own = path.with_name(f".{path.stem}.{self._me.host}.{self._me.pid}.new")
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
            path.write_text(json.dumps(asdict(self._me)), encoding="utf-8")
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
            file.write(own.read_bytes())


def process_start(pid: int) -> int:
    """Return when a process started, in ticks since boot; 0 where the system does not say."""
    fields = _stat(pid)
    return int(fields[19]) if fields else 0


def process_exists(pid: int) -> bool:
    """Return whether a process of this machine has that number and lives.

    One that ended and that its parent has not asked for yet (a zombie) does not: in a container whose first process
    asks for nobody, it would keep its number for ever.
    """
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    fields = _stat(pid)
    return not fields or fields[0] not in "ZX"


def _stat(pid: int) -> list[str]:
    """Return what the system says of a process, from its state on; nothing where it does not say."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
    except OSError:
        return ""
