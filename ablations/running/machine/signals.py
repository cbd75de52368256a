"""Signals that stop a sweep: Ctrl-C, SIGTERM, and the one that SLURM sends before the time of a job ends."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

STOPPING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGUSR1") if hasattr(signal, name))
"""SIGUSR1 is what `sbatch --signal=USR1@60` sends; Windows has none."""


class Stop(threading.Event):
    """Set when the sweep was asked to stop; `signal` is the number of the signal."""

    signal: int | None = None


_asked: list[Stop] = []


def asked_to_stop() -> bool:
    """Return whether a signal has asked the sweep of this process to stop."""
    return any(stop.is_set() for stop in _asked)


@contextmanager
def stopped_by_signal() -> Iterator[Stop]:
    """Yield an event that the stopping signals set inside the block; a second SIGINT interrupts at once."""
    stop = Stop()

    def handle(number: int, frame: FrameType | None) -> None:
        if stop.is_set() and number == signal.SIGINT:
            raise KeyboardInterrupt
        stop.signal = number
        stop.set()

    if threading.current_thread() is not threading.main_thread():
        yield stop  # signals belong to the main thread; a caller elsewhere stops the sweep in its own way
        return
    _asked.append(stop)
    before: dict[int, Any] = {number: signal.signal(number, handle) for number in STOPPING}
    try:
        yield stop
    finally:
        _asked.remove(stop)
        for number, handler in before.items():
            signal.signal(number, handler)
