"""What a signal does to a process: a sweep is asked to stop, a command ends, a worker leaves it to its sweep."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from processes import ROOT

from ablations.running.executors.process_pool import WorkerPool
from ablations.running.machine import signals
from ablations.running.machine.signals import (
    STOPPING,
    Ended,
    asked_to_stop,
    ended_by_signal,
    handed_back_on_signal,
    stopped_by_signal,
)

NAMES = [signal.Signals(number).name for number in STOPPING]


@pytest.fixture
def users_handlers() -> Iterator[dict[int, Any]]:
    """Handlers of the user's own, which must be there afterwards."""
    theirs = {number: lambda number, frame: None for number in STOPPING}
    before = {number: signal.signal(number, handler) for number, handler in theirs.items()}
    yield theirs
    for number, handler in before.items():
        signal.signal(number, handler)


def handlers() -> dict[int, Any]:
    return {number: signal.getsignal(number) for number in STOPPING}


def test_the_signals_are_those_of_terminals_and_of_batch_systems() -> None:
    assert NAMES == ["SIGINT", "SIGTERM", "SIGUSR1", "SIGHUP"]


@pytest.mark.parametrize("number", STOPPING, ids=NAMES)
def test_a_signal_asks_to_stop_and_the_users_handlers_are_there_afterwards(
    users_handlers: dict[int, Any], number: int, caplog: pytest.LogCaptureFixture
) -> None:
    with stopped_by_signal() as stop:
        stop.waiting_for = lambda: "2 running trials"
        assert not stop.is_set()
        os.kill(os.getpid(), number)
        assert stop.signal == number
        assert asked_to_stop()
    assert handlers() == users_handlers
    assert not asked_to_stop()
    name = "Ctrl-C" if number == signal.SIGINT else signal.Signals(number).name
    said = f"stopping ({name}): waiting for 2 running trials; the same call continues; a second {name} ends at once"
    assert caplog.record_tuples == [("ablations", logging.WARNING, said)]


@pytest.mark.usefixtures("users_handlers")
def test_the_same_signal_twice_at_once_is_one_request() -> None:
    """`timeout` sends each one to its command and to the group."""
    with stopped_by_signal() as stop:
        for _ in range(5):
            os.kill(os.getpid(), signal.SIGTERM)
        assert stop.signal == signal.SIGTERM


@pytest.mark.parametrize("number", STOPPING, ids=NAMES)
def test_a_second_signal_of_its_kind_ends_at_once(
    users_handlers: dict[int, Any], number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signals, "ECHO_SECONDS", 0.0)
    with stopped_by_signal():
        os.kill(os.getpid(), number)
        with pytest.raises(Ended) as ended:
            os.kill(os.getpid(), number)
    assert ended.value.number == number
    assert handlers() == users_handlers


@pytest.mark.usefixtures("users_handlers")
def test_another_signal_adds_nothing_but_ctrl_c_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signals, "ECHO_SECONDS", 0.0)
    with stopped_by_signal() as stop:
        os.kill(os.getpid(), signal.SIGUSR1)
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.signal == signal.SIGUSR1
        with pytest.raises(Ended):
            os.kill(os.getpid(), signal.SIGINT)


def test_a_sweep_in_another_thread_leaves_the_handlers_alone(users_handlers: dict[int, Any]) -> None:
    seen: list[Any] = []

    def sweep() -> None:
        with stopped_by_signal() as stop, ended_by_signal(), handed_back_on_signal() as back:
            seen.extend([handlers(), stop.is_set(), back.is_set()])

    thread = threading.Thread(target=sweep)
    thread.start()
    thread.join()
    assert seen == [users_handlers, False, False]


def test_a_command_under_nohup_outlives_its_terminal(users_handlers: dict[int, Any]) -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with stopped_by_signal() as stop:
        os.kill(os.getpid(), signal.SIGHUP)
        assert not stop.is_set()
    signal.signal(signal.SIGHUP, users_handlers[signal.SIGHUP])


@pytest.mark.parametrize("number", STOPPING, ids=NAMES)
def test_a_worker_of_a_foreign_executor_hands_its_trial_back(
    users_handlers: dict[int, Any], number: int
) -> None:
    with handed_back_on_signal() as stop:
        os.kill(os.getpid(), number)
        assert stop.signal == number
    assert handlers() == users_handlers


@pytest.mark.usefixtures("users_handlers")
def test_a_trial_in_the_process_of_its_sweep_leaves_the_signals_to_it() -> None:
    with stopped_by_signal() as stop, handed_back_on_signal() as back:
        os.kill(os.getpid(), signal.SIGTERM)
        assert (stop.is_set(), back.is_set()) == (True, False)


def test_a_worker_is_deaf_from_its_first_moment_on() -> None:
    pool = WorkerPool(1)
    try:
        began = pool.submit(os.getpid)
        [pid] = pool._pools[0]._processes or {}
        for number in STOPPING:
            os.kill(pid, number)  # while it starts
        assert began.result(timeout=120) == pid
        for number in STOPPING:
            os.kill(pid, number)
        assert pool.submit(os.getpid).result(timeout=120) == pid
    finally:
        pool.kill()


COMMAND = """
import os, sys, time, click
from ablations.cli import run_command

@click.command()
def wait():
    try:
        os.kill(os.getpid(), {number})
        time.sleep(600)
    finally:
        print("cleaned up")

run_command(wait, "ablate", [])
"""


@pytest.mark.parametrize(
    ("number", "name", "said"),
    [
        (signal.SIGINT, "Ctrl-C", "interrupted"),
        (signal.SIGTERM, "SIGTERM", "ended by SIGTERM"),
        (signal.SIGUSR1, "SIGUSR1", "ended by SIGUSR1"),
        (signal.SIGHUP, "SIGHUP", "ended by SIGHUP"),
    ],
)
def test_a_command_that_is_no_sweep_ends_and_cleans_up(number: int, name: str, said: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", COMMAND.format(number=int(number))],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (128 + number, "cleaned up\n")
    first, *_, last = done.stderr.splitlines()
    assert first == f"stopping ({name}): the same command starts again, or continues"
    assert last == f"ablate: {said}"


def test_nothing_that_a_command_has_started_outlives_it(tmp_path: Path) -> None:
    """Also what its children have started: a compiler is several processes."""
    alive = tmp_path / "alive"
    alive.mkdir()
    nested = f"sh -c 'echo $$ > {alive}/pid; mv {alive}/pid {alive}/known; exec sleep 600'; true"
    script = (
        "from senet_core.kernels import compiled; from ablations.running.machine.signals import ended_by_signal\n"
        f"with ended_by_signal(): compiled._run('sh', '-c', {nested!r}, seconds=600)"
    )
    command = subprocess.Popen([sys.executable, "-c", script], env={**os.environ, "PYTHONPATH": str(ROOT)})
    while not (alive / "known").exists():
        assert command.poll() is None
        time.sleep(0.02)
    command.terminate()
    command.wait()
    pid = int((alive / "known").read_text())
    until = time.monotonic() + 60
    while Path(f"/proc/{pid}").exists() and "Z" not in Path(f"/proc/{pid}/stat").read_text().split()[2]:
        assert time.monotonic() < until
        time.sleep(0.02)
