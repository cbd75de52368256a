"""Whoever stops a sweep gets the terminal back soon, and loses nothing."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path

import psutil
import pytest
from processes import PATIENCE_SECONDS, Command, until

from ablations.running.machine.signals import ECHO_SECONDS
from ablations.running.record.trial_file import TrialFile
from ablations.running.training.checkpoint import read_checkpoint

EPOCHS = 240  # some seconds


@pytest.fixture
def command(results: Path) -> Command:
    return Command(results.parent, EPOCHS)


def _wait_for_checkpoints(command: Command, process: subprocess.Popen[str]) -> None:
    def both() -> bool:
        assert process.poll() is None, process.communicate()
        return len({path.parent for path in command.study.glob("checkpoints/*/*.pt")}) == 2

    until(both)


def _workers(process: subprocess.Popen[str]) -> list[psutil.Process]:
    children = psutil.Process(process.pid).children()
    return [child for child in children if any("spawn_main" in word for word in child.cmdline())]


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _epochs_of_runs(command: Command, status: str) -> dict[str, dict[int, float]]:
    """Read the seconds of each epoch of the trials' runs in MLflow that ended in a way, by the trial's key."""
    question = (
        "select k.value, m.step, m.value from runs r join tags k on k.run_uuid = r.run_uuid and k.key = 'senet.key'"
        " left join metrics m on m.run_uuid = r.run_uuid and m.key = 'seconds' where r.status = ?"
    )
    found: dict[str, dict[int, float]] = {}
    with closing(sqlite3.connect(command.store)) as database:
        for key, step, seconds in database.execute(question, (status,)):
            found.setdefault(key, {})
            if step is not None:
                found[key][step] = seconds
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGUSR1", "SIGHUP"])
def test_a_stopped_run_keeps_its_state_and_the_next_continues(command: Command, name: str) -> None:
    from comparing import check_mlflow

    number = getattr(signal, name)
    process = command.start()
    _wait_for_checkpoints(command, process)
    process.send_signal(number)
    sent = time.monotonic()
    out, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert time.monotonic() - sent < 30  # ten on a machine that has nothing else to do
    assert process.returncode == 128 + number, err
    assert "stopped: 2 trials left; the same command continues where they are" in out
    assert "Traceback" not in err
    assert not (command.study / "leases").exists()
    assert not (command.study / "running").exists()
    assert TrialFile.load(command.record).lines == []
    killed = _epochs_of_runs(command, "KILLED")
    assert len(killed) == 2
    assert _epochs_of_runs(command, "RUNNING") == {}
    for key, epochs in killed.items():
        newest = max((command.study / "checkpoints" / key).glob("*.pt"))
        assert len(read_checkpoint(newest)["state"]["history"]) == len(epochs) < EPOCHS

    status, out, err = command.run()
    assert status == 0, err
    finished = TrialFile.load(command.record).finished
    assert finished.keys() == killed.keys()
    for key, epochs in killed.items():
        history = {epoch.epoch: epoch.seconds for epoch in finished[key].history}
        assert len(history) == EPOCHS
        assert {number: history[number] for number in epochs} == epochs  # these were not trained again
    assert not (command.study / "checkpoints").exists()
    assert check_mlflow(command.store, command.record) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "said"),
    [
        (signal.SIGINT, "interrupted"),
        (signal.SIGTERM, "ended by SIGTERM"),
        (signal.SIGUSR1, "ended by SIGUSR1"),
        (signal.SIGHUP, "ended by SIGHUP"),
    ],
)
def test_a_second_signal_ends_at_once(command: Command, number: int, said: str) -> None:
    process = command.start()
    _wait_for_checkpoints(command, process)
    workers = _workers(process)
    for worker in workers:
        worker.suspend()  # they will not save anything any more, and the sweep waits for them
    process.send_signal(number)
    until(lambda: bool(list(command.study.glob("running/stop.*"))))
    time.sleep(1.5 * ECHO_SECONDS)  # one that comes sooner is the same request
    process.send_signal(number)
    _, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 128 + number
    assert err.strip().splitlines()[-1] == f"ablate: {said}"
    assert "Traceback" not in err
    until(lambda: not any(_lives(worker) for worker in workers))
    assert not (command.study / "leases").exists()
    assert command.run()[0] == 0
    assert len(TrialFile.load(command.record).finished) == 2


@pytest.mark.slow
def test_workers_end_with_a_sweep_that_is_killed(command: Command) -> None:
    """Also those that were still starting: nobody else would ever end them."""
    process = command.start()
    until(lambda: process.poll() is not None or bool(_workers(process)))
    starting = _workers(process)
    process.kill()
    process.communicate()
    assert starting
    until(lambda: not any(_lives(worker) for worker in starting))
