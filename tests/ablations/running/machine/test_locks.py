"""A lock that is not given back stops nothing without a word."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ablations.running.machine import locks
from ablations.running.machine.durable import DiskError
from ablations.running.machine.locks import LockHeld, locked
from ablations.running.machine.signals import stopped_by_signal
from ablations.running.record.trial_file import TrialFile

HOLD = """
import sys, time
from filelock import FileLock
lock = FileLock(sys.argv[1])  # one that nobody keeps is given back
lock.acquire()
print(1, flush=True)
time.sleep(99)
"""


@contextmanager
def held(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Let another process hold a lock."""
    path.parent.mkdir(parents=True, exist_ok=True)
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    holder.stdout.readline()
    try:
        yield holder
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()


def test_who_holds_a_lock_for_too_long_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "PATIENCE_SECONDS", 0.3)
    with (
        held(tmp_path / "a.lock") as holder,
        pytest.raises(LockHeld, match=rf"a.lock has been held for 0.3 s by process {holder.pid} \(python"),
        locked(tmp_path / "a.lock"),
    ):
        pass
    with locked(tmp_path / "a.lock"):  # its holder has ended
        pass


def test_a_record_says_who_holds_its_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "PATIENCE_SECONDS", 0.3)
    shipped = Path(__file__).parents[4] / "results" / "deeper" / "trials.jsonl"
    with (
        held(tmp_path / ".trials.jsonl.lock") as holder,
        pytest.raises(
            DiskError, match=rf"held for 0.3 s by process {holder.pid} .*; nothing recorded is lost"
        ),
    ):
        TrialFile(tmp_path / "trials.jsonl").append(TrialFile.load(shipped).lines[0])
    assert not (tmp_path / "trials.jsonl").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_waiting(tmp_path: Path, number: int) -> None:
    with held(tmp_path / "a.lock"), stopped_by_signal() as stop:
        began = time.monotonic()
        threading.Timer(0.5, os.kill, (os.getpid(), number)).start()
        with pytest.raises(KeyboardInterrupt), locked(tmp_path / "a.lock"):
            pass
        assert stop.signal == number
    assert time.monotonic() - began < 30


@pytest.mark.parametrize(
    ("lock", "status"), [("mlflow.db.lock", 0), ("small/.notebook.lock", 0), ("small/.looks.lock", 1)]
)
def test_a_sweep_ends_and_says_which_lock_is_held(
    ablate: Callable[..., Any], results: Path, monkeypatch: pytest.MonkeyPatch, lock: str, status: int
) -> None:
    monkeypatch.setattr(locks, "PATIENCE_SECONDS", 0.5)
    with held(results / lock) as holder:
        said = ablate("run", "small.yaml", "--workers", "1")
    assert said.status == status, said.err
    assert f"{lock} has been held for 0.5 s by process {holder.pid}" in (said.out + said.err).replace(
        "\n", ""
    )
    assert "[Errno" not in said.out + said.err
    assert (results / "small" / "trials.jsonl").read_text().count("\n") == 6
    assert ablate("run", "small.yaml", "--workers", "1").status == 0
