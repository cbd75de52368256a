"""Servers that are started for a person to look at pages, and end with the command that started them."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import FrameType
from typing import Any, NoReturn

from ablations.running.machine.signals import name_of, say_at_once

ENDING = [number for name in ("SIGINT", "SIGTERM", "SIGHUP") if (number := getattr(signal, name, None))]
GRACE_SECONDS = 5.0


class _Asked(Exception):
    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def serve(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a server until it ends or a signal asks to stop, then end it with all processes that it has started.

    Returns:
        Its exit status; 0 after Ctrl-C, which is how a person ends it, and 128 + the number after another signal.
    """

    def ask(number: int, frame: FrameType | None) -> NoReturn:
        say_at_once(
            f"stopping ({name_of(number)}): waiting for the server to end, {GRACE_SECONDS:g} s at most"
        )
        raise _Asked(number)

    before: dict[int, Any] = {}
    process = None
    try:
        before = {number: signal.signal(number, ask) for number in ENDING}
        # a group of its own: Ctrl-C of a terminal then reaches the server through us alone, and its children with it
        process = subprocess.Popen(command, env=dict(environment), start_new_session=True)
        return process.wait()
    except _Asked as asked:
        return 0 if asked.number == signal.SIGINT else 128 + asked.number
    finally:
        for number in before:
            signal.signal(number, signal.SIG_IGN)  # a second Ctrl-C must not leave half of it running
        if process is not None:
            _end_group(process)
        for number, handler in before.items():
            signal.signal(number, handler)


def _end_group(process: subprocess.Popen[bytes]) -> None:
    if not hasattr(os, "killpg"):
        process.kill()
        return
    with suppress(ProcessLookupError, subprocess.TimeoutExpired):
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(GRACE_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # children that outlived it, or do not listen
    process.wait()
