"""Each signal that stops a sweep, to its driver, its whole group or one worker: nothing fails, nothing is lost.

`python tests/ablations/running/machine/test_signal_matrix.py` prints what each gives as a table.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))  # also as a script
from processes import PATIENCE_SECONDS, ROOT, Command, until

from ablations.running.record.trial_file import TrialFile
from ablations.running.training.checkpoint import read_checkpoint

EPOCHS = 200  # long enough for two to be in their midst at one instant, on a busy machine too
TRIALS = 4
RUN = (sys.executable, "-m", "ablations", "run", "small.yaml", "--workers", "2", "--no-tracking")
SIGNALS = ("INT", "TERM", "USR1", "HUP")
OWN_EXECUTOR = """
import multiprocessing
from concurrent.futures import ProcessPoolExecutor


def make(workers):
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"))
"""


@dataclass(frozen=True)
class Stopped:
    """What came of a sweep that got a signal.

    Attributes:
        status: its exit status.
        said: all that it said.
        word_ms: from the signal to the first word after it.
        epochs: of each trial with a checkpoint, by key.
        failed: lines of the record that tell of a failure.
    """

    status: int
    said: str
    word_ms: float
    epochs: dict[str, int]
    failed: int

    @property
    def left(self) -> str:
        """What is said of the trials that are left."""
        found = re.search(r"stopped: (.* left)", self.said)
        return "" if found is None else found[1]


class Sweep:
    """A sweep of four trials, two at a time, in its own group.

    Args:
        command: the study.
        words: the command line.
    """

    def __init__(self, command: Command, words: Sequence[str] = RUN) -> None:
        self.command = command
        self.process = subprocess.Popen(
            words,
            cwd=command.folder,
            # a foreign executor's workers would take all cores each
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.lines: list[tuple[float, str]] = []
        self.sent = 0.0
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append((time.monotonic(), line))

    @property
    def said(self) -> str:
        """What it has said so far."""
        return "".join(line for _, line in self.lines)

    def wait_for_checkpoints(self) -> None:
        def both() -> bool:
            assert self.process.poll() is None, self.said
            return len({path.parent for path in self.command.study.glob("checkpoints/*/*.pt")}) == 2

        until(both)

    def workers(self) -> list[psutil.Process]:
        """The processes that train, however deep below `timeout` or `setsid`."""
        below = psutil.Process(self.process.pid).children(recursive=True)
        return [child for child in below if any("spawn_main" in word for word in child.cmdline())]

    def send(self, name: str, target: str) -> None:
        number = getattr(signal, f"SIG{name}")
        self.sent = time.monotonic()
        if target == "group":
            os.killpg(self.process.pid, number)
        elif target == "worker":
            self.workers()[0].send_signal(number)
        else:
            self.process.send_signal(number)

    def end(self) -> Stopped:
        """Wait for its end."""
        self.process.wait(PATIENCE_SECONDS)
        self._reader.join(PATIENCE_SECONDS)
        assert self.process.stdout is not None
        self.process.stdout.close()
        after = [when for when, _ in self.lines if when >= self.sent]
        newest = {path.parent.name: path for path in sorted(self.command.study.glob("checkpoints/*/*.pt"))}
        saved = {key: len(read_checkpoint(path)["state"]["history"]) for key, path in newest.items()}
        failed = sum(line.status == "failed" for line in TrialFile.load(self.command.record).lines)
        word = 1000 * (after[0] - self.sent) if after else float("nan")
        return Stopped(self.process.returncode, self.said, word, saved, failed)


def small(folder: Path) -> Command:
    command = Command(folder, EPOCHS)
    study = folder / "small.yaml"
    study.write_text(study.read_text(encoding="utf-8").replace("seeds: 1", "seeds: 2"), encoding="utf-8")
    return command


@pytest.fixture
def command(tmp_path: Path) -> Command:
    return small(tmp_path)


def signalled(command: Command, name: str, target: str, words: Sequence[str] = RUN) -> Stopped:
    """Start a sweep, and send it a signal when two trials have been saved."""
    sweep = Sweep(command, words)
    sweep.wait_for_checkpoints()
    sweep.send(name, target)
    return sweep.end()


def continued(command: Command, before: Stopped) -> str:
    """Run the same command again: it trains what is left, and no epoch that was saved; returns what it said."""
    already = TrialFile.load(command.record).finished
    again = Sweep(command).end()
    assert again.status == 0, again.said
    record = TrialFile.load(command.record)
    assert len(record.lines) == len(record.finished) == TRIALS
    assert [line for line in record.lines if line.key in already] == list(already.values())
    for key, saved in before.epochs.items():
        history = record.finished[key].history
        assert [epoch.epoch for epoch in history] == list(range(1, EPOCHS + 1))
        assert saved < EPOCHS
    return again.said


def check_stopped(command: Command, stopped: Stopped, name: str) -> None:
    assert stopped.status == 128 + getattr(signal, f"SIG{name}"), stopped.said
    assert stopped.failed == 0, stopped.said
    assert len(stopped.epochs) >= 2  # a foreign executor may begin a third one meanwhile
    assert f"{TRIALS - len(TrialFile.load(command.record).finished)} trials left" in stopped.left
    assert stopped.said.index("stopping (") < stopped.said.index("stopped: "), stopped.said
    assert "the same command continues" in stopped.said
    assert "Traceback" not in stopped.said
    assert "resource_tracker" not in stopped.said
    assert not (command.study / "leases").exists()
    assert not (command.study / "running").exists()


def test_sigterm_to_the_whole_group_fails_no_trial(command: Command) -> None:
    """As SLURM, Docker and `timeout` send it."""
    stopped = signalled(command, "TERM", "group")
    check_stopped(command, stopped, "TERM")


@pytest.mark.slow
@pytest.mark.parametrize("target", ["driver", "group"])
@pytest.mark.parametrize("name", SIGNALS)
def test_a_signal_stops_the_sweep_and_the_next_continues(command: Command, name: str, target: str) -> None:
    stopped = signalled(command, name, target)
    check_stopped(command, stopped, name)
    continued(command, stopped)


@pytest.mark.slow
@pytest.mark.parametrize("name", SIGNALS)
def test_a_signal_to_one_worker_fails_no_trial(command: Command, name: str) -> None:
    ended = signalled(command, name, "worker")
    assert (ended.status, ended.failed) == (0, 0), ended.said
    assert len(TrialFile.load(command.record).finished) == TRIALS


@pytest.mark.slow
def test_a_signal_to_the_group_fails_no_trial_of_the_users_own_executor(command: Command) -> None:
    stopped = signalled(command, "TERM", "group", own_executor(command))
    check_stopped(command, stopped, "TERM")
    continued(command, stopped)


@pytest.mark.slow
def test_a_signal_to_a_worker_of_the_users_own_executor_fails_no_trial(command: Command) -> None:
    ended = signalled(command, "TERM", "worker", own_executor(command))
    assert (ended.status, ended.failed) == (0, 0), ended.said
    assert ended.said.count("a signal ended its worker; it is continued") == 1
    assert len(TrialFile.load(command.record).finished) == TRIALS


@pytest.mark.slow
@pytest.mark.parametrize("name", ["TERM", "INT", "USR1"])
def test_timeout_stops_a_sweep_as_the_signal_alone_does(command: Command, name: str) -> None:
    """It sends the signal to its command, and then to the group."""
    sweep = Sweep(command, ("timeout", "--preserve-status", "-s", name, "600", *RUN))
    sweep.wait_for_checkpoints()
    sweep.send("ALRM", "driver")  # its time is over
    stopped = sweep.end()
    check_stopped(command, stopped, name)


def own_executor(command: Command) -> tuple[str, ...]:
    (command.folder / "my_cluster.py").write_text(OWN_EXECUTOR, encoding="utf-8")
    return (*RUN, "--executor", "my_cluster:make")


def print_table(cases: Sequence[tuple[str, Callable[[Command], Stopped]]]) -> None:
    print("| case | status | first word, ms | checkpoints (epochs) | failed | says | the next run |")
    for case, run in cases:
        with tempfile.TemporaryDirectory() as folder:
            command = small(Path(folder))
            stopped = run(command)
            try:
                next_one = (
                    "nothing to do"
                    if stopped.status == 0
                    else "continues, " + _trained(continued(command, stopped))
                )
            except AssertionError as error:
                next_one = f"WRONG: {error}"
            epochs = ", ".join(map(str, stopped.epochs.values()))
            print(
                f"| {case} | {stopped.status} | {stopped.word_ms:.0f} | {epochs} | {stopped.failed} | {stopped.left}"
                f" | {next_one} |",
                flush=True,
            )
            if "-v" in sys.argv:
                print(stopped.said)


def _trained(said: str) -> str:
    return f"trains {said.count(' error ')}"


if __name__ == "__main__":
    sent = [
        (f"{name} to {target}", name, target) for name in SIGNALS for target in ("driver", "group", "worker")
    ]
    wanted = [word for word in sys.argv[1:] if word != "-v"]
    print_table(
        [
            (case, lambda command, name=name, target=target: signalled(command, name, target))
            for case, name, target in sent
            if not wanted or case in wanted
        ]
    )
