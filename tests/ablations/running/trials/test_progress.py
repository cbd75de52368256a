"""What a running trial says of itself is read as it comes, also where another attempt begins anew."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from ablations.running.machine.holder import Holder, process_start
from ablations.running.record.trial_record import EpochMetrics
from ablations.running.trials.progress import MOST_LINE, Progress, ProgressWriter


def _epoch(number: int) -> EpochMetrics:
    return EpochMetrics(number, 1.0, 50.0, 0.1, 2.0)


def test_an_attempt_that_begins_anew_is_read_from_its_beginning(tmp_path: Path) -> None:
    progress = Progress(tmp_path / "key.jsonl")
    with ProgressWriter(tmp_path / "key.jsonl", {"host": "a"}) as first:
        first.epoch(_epoch(1))
        first.epoch(_epoch(2))
        assert progress.read() == [_epoch(1), _epoch(2)]
        attempt = progress.attempt
        with ProgressWriter(tmp_path / "key.jsonl", {"host": "a much longer name"}) as second:
            first.epoch(_epoch(3))  # its node was only cut off, and it writes on
            second.epoch(_epoch(1))
            assert progress.read() == [_epoch(1)]
            assert progress.attempt != attempt
            assert progress.environment == {"host": "a much longer name"}
            assert progress.epochs == [_epoch(1)]


BEGUN = {"process": Holder.this_process().to_text(), "attempt": 1, "environment": {"host": "a"}}


def _read(path: Path, *lines: object) -> Progress:
    path.write_text("".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines))
    progress = Progress(path)
    progress.read()
    return progress


@pytest.mark.parametrize("value", ["x", [], None, float("nan"), float("inf"), {}, True])
@pytest.mark.parametrize("name", ["epoch", "train_loss", "train_error", "lr", "seconds"])
def test_an_epoch_of_other_types_is_passed_over(tmp_path: Path, name: str, value: object) -> None:
    """It would be shown, sent to MLflow, and stand in the record where the process dies."""
    read = _read(
        tmp_path / "a", BEGUN, {"epoch": {**asdict(_epoch(1)), name: value}}, {"epoch": asdict(_epoch(2))}
    )
    assert read.epochs == [_epoch(2)]


@pytest.mark.parametrize("number", [0, -1, 2**31, 10**400])
def test_an_epoch_that_no_database_has_room_for_is_passed_over(tmp_path: Path, number: int) -> None:
    assert _read(tmp_path / "a", BEGUN, {"epoch": {**asdict(_epoch(1)), "epoch": number}}).epochs == []


@pytest.mark.parametrize(
    "steps", [[1, 10**400], [-1, 2], [0.5, 2], ["1", 2], [1], [1, 2, 3], 5, None, [True, 2]]
)
def test_steps_that_are_no_counts_are_passed_over(tmp_path: Path, steps: Any) -> None:
    read = _read(tmp_path / "a", BEGUN, {"steps": [1, 9]}, {"steps": steps})
    assert (read.done, read.total) == (1, 9)


@pytest.mark.parametrize(
    "changed",
    [
        {"attempt": 1e400},
        {"attempt": "1"},
        {"environment": {"x": float("nan")}},
        {"process": "{}"},
        {"process": 1},
    ],
)
def test_a_head_that_no_record_can_hold_is_passed_over(tmp_path: Path, changed: dict[str, Any]) -> None:
    assert _read(tmp_path / "a", {**BEGUN, **changed}).environment is None


def test_a_line_of_nested_lists_is_passed_over(tmp_path: Path) -> None:
    assert _read(tmp_path / "a", BEGUN, "[" * 100_000, {"steps": [1, 9]}).total == 9


def test_a_line_longer_than_any_of_ours_is_passed_over(tmp_path: Path) -> None:
    read = _read(tmp_path / "a", BEGUN, "x" * (3 * MOST_LINE), {"epoch": asdict(_epoch(1))})
    assert read.epochs == [_epoch(1)]


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_a_process_whose_start_is_not_said_is_not_killed(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        holder = replace(Holder.this_process(), pid=other.pid)
        for start, killed in (
            (0, False),
            (process_start(other.pid) + 1, False),
            (process_start(other.pid), True),
        ):
            read = _read(tmp_path / "a", {**BEGUN, "process": replace(holder, start=start).to_text()})
            read.kill_process()
            if killed:
                assert other.wait() == -9
            else:
                os.kill(other.pid, 0)
                assert other.poll() is None
