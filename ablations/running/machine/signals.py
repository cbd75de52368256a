"""Signals that stop a command: Ctrl-C, SIGTERM, SLURM's before the time of a job ends, and a terminal's that is closed.

A sweep lets its trials save their state first; other commands end at once. Processes that were started for a sweep
leave the signals to it: they often come to the whole group.
"""

from __future__ import annotations

import logging
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

STOPPING = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGUSR1", "SIGHUP") if hasattr(signal, name)
)
"""SIGUSR1 is what `sbatch --signal=USR1@60` sends, SIGHUP what a terminal sends that is closed; Windows has neither."""
ECHO_SECONDS = 1.0
"""A signal that comes again so soon is the same request: `timeout` sends each one to its command and to the group."""

log = logging.getLogger("ablations")


class Ended(KeyboardInterrupt):
    """A signal ends the command at once.

    Attributes:
        number: of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(name_of(number))
        self.number = number


class Stop:
    """Whether a signal has asked to stop.

    Attributes:
        signal: its number; None as long as none has.
        waiting_for: says what is waited for before the end.
    """

    def __init__(self) -> None:
        self.signal: int | None = None
        self.waiting_for: Callable[[], str] = lambda: "what is under way"

    def is_set(self) -> bool:
        """Return whether a signal has asked to stop."""
        return self.signal is not None


_blocks: list[tuple[int, Stop | None]] = []  # whose process; None for a command, which ends at once
_heard: dict[int, float] = {}


def name_of(number: int) -> str:
    """Return a signal as people know it."""
    return "Ctrl-C" if number == signal.SIGINT else signal.Signals(number).name


def say_at_once(text: str) -> None:
    """Say a line from within a handler, which must not print: it may have interrupted a print."""
    with suppress(OSError):
        os.write(2, f"{text}\n".encode())


def asked_to_stop(*, within_seconds: float = 0.0) -> bool:
    """Return whether a signal has asked the sweep of this process to stop, or does so within some time."""
    until = time.monotonic() + within_seconds
    while not (asked := any(stop is not None and stop.is_set() for _, stop in _blocks)):
        if time.monotonic() >= until or not _is_handled_here():
            break
        time.sleep(0.02)
    return asked


@contextmanager
def ended_by_signal() -> Iterator[None]:
    """Say it and raise `Ended` inside the block where a stopping signal comes, except while a sweep sees to it."""

    def hear(number: int) -> None:
        say_at_once(f"stopping ({name_of(number)}): the same command starts again, or continues")
        raise Ended(number)

    with _heard_by(hear, None):
        yield


@contextmanager
def stopped_by_signal() -> Iterator[Stop]:
    """Yield what says whether a stopping signal has come inside the block; a second one of its kind ends at once.

    Signals belong to the main thread; a caller elsewhere stops the sweep in its own way.
    """
    stop, heard = Stop(), queue.SimpleQueue[int | None]()

    def hear(number: int) -> None:
        if stop.signal is None:
            stop.signal = number
            heard.put(number)
        elif number in (stop.signal, signal.SIGINT):
            raise Ended(number)

    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    # a thread says it, as a handler that interrupts a print must not print
    teller = threading.Thread(target=_tell_of_stop, args=(heard, stop), daemon=True)
    teller.start()
    try:
        with _heard_by(hear, stop):
            yield stop
    finally:
        heard.put(None)
        teller.join(1.0)  # what it says comes first


@contextmanager
def handed_back_on_signal() -> Iterator[Stop]:
    """Yield what says whether a stopping signal has come to this worker, which then saves its trial's state.

    For processes of executors that are not ours; ours leave signals to the sweep (`leave_signals_to_sweep`).
    """
    stop = Stop()

    def hear(number: int, frame: FrameType | None) -> None:
        stop.signal = number

    if threading.current_thread() is not threading.main_thread() or _is_handled_here():
        yield stop
        return
    theirs = [number for number in STOPPING if signal.getsignal(number) is not signal.SIG_IGN]
    before: dict[int, Any] = {number: signal.signal(number, hear) for number in theirs}
    try:
        yield stop
    finally:
        _restore(before)


@contextmanager
def signals_held_back() -> Iterator[None]:
    """Hold the stopping signals back from processes that are started inside the block, from their first moment on."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    try:
        from multiprocessing import resource_tracker  # most commands start no process

        resource_tracker.ensure_running()  # the first process would start it, and it lets signals in again
        signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def leave_signals_to_sweep() -> None:
    """Let the stopping signals do nothing in this worker: they come to the whole group, and the sweep decides."""
    for number in STOPPING:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)


@contextmanager
def _heard_by(hear: Callable[[int], None], stop: Stop | None) -> Iterator[None]:
    def handle(number: int, frame: FrameType | None) -> None:
        now, last = time.monotonic(), _heard.get(number)
        if not _is_handled_here() or (last is not None and now - last < ECHO_SECONDS):
            return  # a process forked from this one: who forked it decides
        _heard[number] = now
        hear(number)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    if not _blocks:
        _heard.clear()
    block = os.getpid(), stop
    _blocks.append(block)
    before: dict[int, Any] = {number: signal.getsignal(number) for number in STOPPING}
    try:
        for number in STOPPING:
            # `nohup` asks that the end of a terminal be nothing
            if number != getattr(signal, "SIGHUP", None) or before[number] is not signal.SIG_IGN:
                signal.signal(number, handle)
        yield
    finally:
        _restore(before)
        _blocks.remove(block)


def _restore(before: dict[int, Any]) -> None:
    for number, handler in before.items():
        # None: it was not set from Python, which cannot set it again
        signal.signal(number, signal.SIG_DFL if handler is None else handler)


def _is_handled_here() -> bool:
    return any(process == os.getpid() for process, _ in _blocks)


def _tell_of_stop(heard: queue.SimpleQueue[int | None], stop: Stop) -> None:
    number = heard.get()
    if number is None:
        return
    name, in_command = name_of(number), any(given is None for _, given in _blocks)
    said = (
        f"stopping ({name}): waiting for {stop.waiting_for()}; the same {'command' if in_command else 'call'}"
        f" continues; a second {name} ends at once"
    )
    if in_command:
        print(said, file=sys.stderr, flush=True)  # above the bars, where there are any
    else:
        log.warning(said)
