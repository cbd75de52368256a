"""Programs that a trial starts, each in a process group of its own: ended as a whole, and never left behind."""

from __future__ import annotations

import ctypes
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

import psutil

from ablations.running.machine.holder import process_start

POLL_SECONDS = 0.2
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
_running: set[int] = set()


class Program:
    """A program that runs.

    Args:
        arguments: of the program; no shell reads them.
        folder: in which it runs.
        environment: all of it.
        output: takes what it prints, to both streams.
        note: a file that says which process this is as long as it runs: whoever comes next ends what is left of it.

    Raises:
        OSError: it cannot be started.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        folder: str,
        environment: Mapping[str, str],
        output: IO[bytes],
        note: Path,
    ) -> None:
        self._note = note
        self._process = subprocess.Popen(
            arguments,
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_end_with_starter if sys.platform == "linux" else None,
        )
        _running.add(self._process.pid)
        told = {
            "pid": self._process.pid,
            "start": process_start(self._process.pid),
            "host": socket.gethostname(),
        }
        with suppress(OSError):
            note.write_text(json.dumps(told), encoding="utf-8")

    def wait(self, asked_to_stop: Callable[[], bool], grace_seconds: float) -> int | None:
        """Wait for its end, and end whatever it has left running.

        Args:
            asked_to_stop: asked several times a second; once it says so, the group gets SIGTERM, and SIGKILL when the
                grace is over.
            grace_seconds: that it has to save its state.

        Returns:
            Its exit status, negative for a signal; None where it was stopped.
        """
        stopped = False
        try:
            while not self._ended(POLL_SECONDS):
                if asked_to_stop():
                    stopped = True
                    self._signal(signal.SIGTERM)
                    end = time.monotonic() + grace_seconds
                    while time.monotonic() < end and not self._ended(POLL_SECONDS):
                        pass
                    break
        finally:
            self._signal(signal.SIGKILL)
            status = self._process.wait()
            _running.discard(self._process.pid)
            self._note.unlink(missing_ok=True)
        return None if stopped else status

    def _ended(self, seconds: float) -> bool:
        """Return whether it ends within so many seconds."""
        if not hasattr(os, "pidfd_open"):
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(seconds)
            return self._process.poll() is not None
        try:
            descriptor = os.pidfd_open(self._process.pid)
        except OSError:
            return self._process.poll() is not None
        try:
            select.select([descriptor], [], [], seconds)
        finally:
            os.close(descriptor)
        return self._process.poll() is not None

    def _signal(self, number: int) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)


def end_running() -> None:
    """End every program that this process has started, with all that they have started."""
    for group in list(_running):
        with suppress(OSError):
            os.killpg(group, signal.SIGKILL)


def end_left_behind(note: Path, mark: tuple[str, str]) -> None:
    """End what an earlier attempt has left running here, as its note says.

    Args:
        note: of the earlier program; nothing is done where there is none.
        mark: name and value of an environment variable that all of its processes have.
    """
    try:
        told = json.loads(note.read_text(encoding="utf-8"))
        pid, start, host = int(told["pid"]), int(told["start"]), told["host"]
    except (OSError, ValueError, KeyError, TypeError):
        return
    if host != socket.gethostname():
        return
    if process_start(pid) == start:
        with suppress(OSError):
            os.killpg(pid, signal.SIGKILL)
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get(mark[0]) == mark[1] and process.pid != os.getpid():
                process.kill()
    note.unlink(missing_ok=True)


def _end_with_starter() -> None:
    """Have the system end this process when the one that started it ends, however that ends."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
