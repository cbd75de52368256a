"""The progress of a running trial: a file that its process appends to and any other may read.

Files work for every executor that shares a folder, survive the end of the process, and let `ablate status` read
them from another terminal.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Annotated, Any

from pydantic import Field, TypeAdapter

from ablations.running.machine.holder import Holder, process_start
from ablations.running.record.trial_record import Step
from senet_core.bounded import MIB, open_plain

FOLDER = "running"
INTERVAL_SECONDS = 0.5
MOST_BYTES = 256 * MIB
"""Limit of such a file, of which a day takes 4 MiB; what follows is not read."""

MOST_LINE = MIB
"""Limit of one line, in bytes; what is longer is passed over."""

MOST_EPOCHS = 2**31 - 1
"""The last epoch that MLflow and Optuna have room for."""

_STEP: TypeAdapter[Step] = TypeAdapter(Annotated[Step, Field(union_mode="left_to_right")])


def progress_file(folder: Path, key: str, token: str) -> Path:
    """Return the file for the progress of a trial: no two sweeps that train it, knowingly or not, share one.

    Args:
        folder: the study's folder for running trials.
        key: the trial.
        token: of the sweep that trains it.
    """
    return folder / f"{key}.{token}.jsonl"


class ProgressWriter:
    """Writes the progress of one trial.

    Args:
        path: the file, of the trial and of the sweep that trains it; see `progress_file`.
        environment: where it runs.
    """

    def __init__(self, path: Path, environment: Mapping[str, Any]) -> None:
        path.unlink(missing_ok=True)  # a new file, should the process of an earlier attempt still be writing
        self._file = _open(path)
        self._last = 0.0
        self._write(
            {
                "process": Holder.this_process().to_text(),
                "attempt": time.time_ns(),
                "environment": dict(environment),
            }
        )

    def epoch(self, metrics: Step) -> None:
        """Append an epoch, or a step that was reported."""
        self._write({"epoch": asdict(metrics)})

    def progress(self, done: int, total: int) -> None:
        """Write how many steps are done, at most twice a second and at the end."""
        now = time.monotonic()
        if now - self._last >= INTERVAL_SECONDS or done == total:
            self._last = now
            self._write({"steps": [done, total]})

    def __enter__(self) -> ProgressWriter:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()  # the file stays until the sweep removes it

    def _write(self, content: object) -> None:
        self._file.write(json.dumps(content) + "\n")
        self._file.flush()


def _open(path: Path) -> IO[str]:
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):  # another sweep ended and removed the empty folder
            return path.open("w", encoding="utf-8")


@dataclass
class Progress:
    """The progress of a running trial, read from its file.

    Attributes:
        path: the file.
        done, total: steps; 0 before they are known.
        epochs: finished epochs.
        environment: where it runs; None before it has begun.
        process: in which it runs; None before it has begun.
        attempt: number of the attempt, different if the trial begins again on another machine; 0 before it has begun.
    """

    path: Path
    done: int = 0
    total: int = 0
    epochs: list[Step] = field(default_factory=list)
    environment: dict[str, Any] | None = None
    process: Holder | None = None
    attempt: int = 0
    _offset: int = 0
    _head: bytes = b""

    def read(self) -> list[Step]:
        """Read what was appended since the last call, and return the new epochs.

        A file that another attempt has replaced is read from its beginning, and the progress before is discarded.
        """
        new: list[Step] = []
        for line in self._added():
            # what is damaged is passed over: the outcome of the trial has it all again
            with suppress(KeyError, TypeError, ValueError):
                self._take(line, new)
        self.epochs.extend(new)
        return new

    def _take(self, line: Mapping[str, Any], new: list[Step]) -> None:
        if "environment" in line:
            process, attempt = Holder.from_text(line["process"]), _count(line["attempt"])
            environment = dict(line["environment"])
            json.dumps(environment, allow_nan=False)  # as it will stand in the record
            self.process, self.attempt, self.environment = process, attempt, environment
        if "steps" in line:
            done, total = map(_count, line["steps"])
            self.done, self.total = done, total
        if "epoch" in line:
            epoch = _STEP.validate_json(json.dumps(line["epoch"]), strict=True)
            if not 0 < epoch.number <= MOST_EPOCHS:
                raise ValueError("it is no epoch")
            new.append(epoch)

    def kill_process(self) -> None:
        """Kill the trial's process if it can be seen from here, and nothing that merely has its number."""
        process = self.process
        if process is None or not process.is_near() or process.pid == os.getpid():
            return
        if process.start == 0 or process_start(process.pid) != process.start:
            return
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)

    def _added(self) -> Iterator[dict[str, Any]]:
        with suppress(OSError), open_plain(self.path) as file:
            head = file.readline(MOST_LINE)
            if head.endswith(b"\n") and head != self._head:
                self._head, self._offset, self.done, self.epochs = head, 0, 0, []
            while self._offset < MOST_BYTES:
                file.seek(self._offset)
                piece = file.read(MOST_LINE)
                whole = piece[: piece.rfind(b"\n") + 1]
                if not whole and len(piece) < MOST_LINE:
                    return
                self._offset += len(whole or piece)
                yield from (said for said in map(_parsed, whole.splitlines()) if said is not None)


def _parsed(line: bytes) -> dict[str, Any] | None:
    """Return the content of a line; None where it is damaged: the outcome of the trial has it all again."""
    try:
        content = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def _count(value: object) -> int:
    if type(value) is not int or not 0 <= value < 2**63:
        raise ValueError("it is no count")
    return value
