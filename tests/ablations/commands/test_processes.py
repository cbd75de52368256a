"""`--processes-per-trial`: what cannot be had is refused in a line, and a sweep of such trials stops and continues."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "running"))

from processes import PATIENCE_SECONDS, Command, until

from ablations.running.executors.factories import ExecutorOptions
from ablations.running.machine import devices
from ablations.running.record.trial_file import TrialFile
from ablations.running.record.trial_record import TrialRecord
from ablations.running.training.checkpoint import read_checkpoint
from senet_core.errors import UserError

TOGETHER = ("run", "small.yaml", "--workers", "1", "--processes-per-trial", "2", "--no-tracking")
EPOCHS = 150  # some seconds

PROGRAM = """
title: A program
question: Does it run?
experiment: {command: [python, -c, "print('error: 1')", "{lr}", "{seed}"], metrics: {error: minimise}}
baseline: {lr: 1}
axes: {lr: [1, 2]}
margin: 0.5
seeds: 2
"""


def test_more_processes_than_images_of_a_batch_are_refused_before_anything_is_made(
    ablate: Callable[..., Any], tmp_path: Path
) -> None:
    said = ablate("run", "small.yaml", "--processes-per-trial", "33", "--no-tracking")
    assert said.status == 2
    assert (
        "batch_size is 32, and each of the 33 processes of a trial (--processes-per-trial) needs" in said.err
    )
    assert not (tmp_path / "results" / "small").exists()


def test_a_program_is_one_process(ablate: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "program.yaml").write_text(PROGRAM, encoding="utf-8")
    said = ablate("run", "program.yaml", "--processes-per-trial", "2", "--no-tracking")
    assert said.status == 2
    assert "--processes-per-trial is 2, and only trainings of networks are shared by processes" in said.err
    assert "of the kind 'command'" in said.err


def test_each_process_has_a_gpu_or_a_share_of_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    from ablations.running.executors import local_factory

    monkeypatch.setattr(local_factory, "available_cores", lambda: 8)
    monkeypatch.setattr(devices, "count_gpus", lambda: 0)
    at_a_time = ExecutorOptions().factory().trials_at_a_time
    assert (at_a_time(100), at_a_time(100, processes=2), at_a_time(3, processes=2)) == (8, 4, 3)
    assert at_a_time(100, processes=16) == 1
    monkeypatch.setattr(devices, "count_gpus", lambda: 5)
    assert (at_a_time(100), at_a_time(100, processes=2)) == (5, 2)
    assert ExecutorOptions(workers=1).factory().trials_at_a_time(100, processes=2) == 1
    with pytest.raises(UserError, match=r"asks for 6 GPUs \(`processes_per_trial`\), and this machine has 5"):
        at_a_time(100, processes=6)
    with pytest.raises(UserError, match="have their GPUs to themselves; `trials_per_gpu` is 2"):
        ExecutorOptions(trials_per_gpu=2).factory().trials_at_a_time(100, processes=2)


@pytest.mark.slow
def test_killed_then_stopped_a_trial_of_two_processes_ends_as_if_nothing_had_happened(
    results: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """What was saved before the kill is not trained again, nor what was saved before Ctrl-C."""
    command = Command(results.parent, EPOCHS)
    process = command.start(words=TOGETHER)
    until(lambda: process.poll() is not None or any(command.study.glob("checkpoints/*/*.pt")))
    _processes_of_trial(process.pid)[1].kill()
    out, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 1, err
    record = TrialFile.load(command.record)
    [failed], [plain] = record.failed.values(), record.finished.values()
    assert failed.failure is not None
    assert failed.failure.kind == "killed"
    assert "process 2 of 2 ended by SIGKILL before the trial did" in failed.failure.message
    before = _saved(command, failed.key)

    process = command.start(words=TOGETHER)
    until(lambda: process.poll() is not None or _newest(command, failed.key) > before[0])
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 128 + signal.SIGINT, out + err
    assert "stopped: 1 trial left" in out
    assert TrialFile.load(command.record).finished.keys() == {plain.key}
    then = _saved(command, failed.key)
    assert then[1][: len(before[1])] == before[1]

    process = command.start(words=TOGETHER)
    out, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0, err
    finished = TrialFile.load(command.record).finished
    assert [epoch.seconds for epoch in finished[failed.key].history][: len(then[1])] == then[1]
    whole = Command(tmp_path_factory.mktemp("whole"), EPOCHS)
    process = whole.start(words=TOGETHER)
    out, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0, err
    for key, line in TrialFile.load(whole.record).finished.items():
        assert _measured(line) == _measured(finished[key])
        assert line.environment["processes"] == 2
    assert "training without fused passes" in out


def _processes_of_trial(sweep: int) -> list[psutil.Process]:
    """Return the processes of the trial that runs, by rank: those that a worker of the sweep has started."""
    workers = psutil.Process(sweep).children()
    found = [child for worker in workers for child in worker.children()]
    spawned = [child for child in found if any("spawn_main" in word for word in child.cmdline())]
    return sorted(spawned, key=lambda child: child.create_time())


def _newest(command: Command, key: str) -> str:
    return max(path.name for path in (command.study / "checkpoints" / key).glob("*.pt"))


def _saved(command: Command, key: str) -> tuple[str, list[float]]:
    """Return the name of the newest checkpoint, and how long each of its epochs took."""
    name = _newest(command, key)
    state = read_checkpoint(command.study / "checkpoints" / key / name)["state"]
    return name, [epoch["seconds"] for epoch in state["history"]]


def _measured(line: TrialRecord) -> Any:
    assert line.result is not None
    values = {name: line.result.value(name) for name in ("weights_sha256", "test_loss", "outcomes_sha256")}
    return values, [(epoch.epoch, epoch.train_loss, epoch.train_error) for epoch in line.history]
