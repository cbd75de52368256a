"""Locks of files that several sweeps write: held for moments, waited for with an end, and never without a word."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from ablations.running.machine.signals import asked_to_stop

PATIENCE_SECONDS = 60.0
POLL_SECONDS = 0.05


class LockHeld(OSError):
    """Another process holds a lock for longer than its work takes: it hangs, or is stopped."""


@contextmanager
def locked(path: Path, *, interruptible: bool = True) -> Iterator[None]:
    """Hold a lock inside the block.

    Args:
        path: the lock's file, made where it is not there.
        interruptible: whether a signal that asks to stop ends the waiting, too; not where trials run that are still
            to be saved.

    Raises:
        LockHeld: another process has held it for PATIENCE_SECONDS.
        KeyboardInterrupt: a signal asked to stop while it was waited for.
        OSError: the file cannot be made.
    """
    lock, until = FileLock(path), time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            lock.acquire(timeout=0)
            break
        except Timeout:
            if interruptible and asked_to_stop():
                raise KeyboardInterrupt from None
            if time.monotonic() > until:
                said = f"{path} has been held for {PATIENCE_SECONDS:g} s by {_holder(path)}; end that, and try again"
                raise LockHeld(errno.EAGAIN, said) from None
            time.sleep(POLL_SECONDS)
    try:
        yield
    finally:
        lock.release()


def _holder(path: Path) -> str:
    """Return who holds a lock, as far as the system says."""
    try:
        number = os.stat(path).st_ino
        for line in Path("/proc/locks").read_text(encoding="ascii").splitlines():
            fields = line.split()
            if fields[1] == "FLOCK" and fields[5].rpartition(":")[2] == str(number):
                name = Path(f"/proc/{fields[4]}/comm").read_text(encoding="utf-8", errors="replace").strip()
                return f"process {fields[4]} ({name})"
    except (OSError, IndexError, ValueError):
        pass
    return "another process"
