"""What a running trial says of itself is read as it comes, also where another attempt begins anew."""

from __future__ import annotations

from pathlib import Path

from ablations.running.record.trial_record import EpochMetrics
from ablations.running.training.progress import Progress, ProgressWriter


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
