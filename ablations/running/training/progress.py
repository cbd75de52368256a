"""What a running trial says of itself: a file that its process adds to, and that anybody may read.

Files work for every executor that shares a folder, survive the death of the process, and let `ablate status`
look on from another terminal.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

from ablations.running.record.trial_record import EpochMetrics

FOLDER = "running"
INTERVAL_SECONDS = 0.5


class ProgressWriter:
    """Write the progress of one trial.

    Args:
        folder: the study's folder for running trials.
        key: the trial.
        environment: where it runs.
    """

    def __init__(self, folder: Path, key: str, environment: Mapping[str, Any]) -> None:
        path = folder / f"{key}.jsonl"
        path.unlink(missing_ok=True)  # a new file, should the process of an earlier attempt still be writing
        self._file = _open(path)
        self._last = 0.0
        self._write({"pid": os.getpid(), "attempt": time.time_ns(), "environment": dict(environment)})

    def epoch(self, metrics: EpochMetrics) -> None:
        """Add an epoch."""
        self._write({"epoch": asdict(metrics)})

    def progress(self, done: int, total: int) -> None:
        """Say how many steps are done; most calls write nothing."""
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
    """What is known of a running trial.

    Attributes:
        path: the file.
        done, total: steps; 0 before the first word.
        epochs: finished epochs.
        environment: where it runs; None before it has begun.
        pid: its process, on the host that the environment names.
        attempt: tells attempts apart, should the trial be begun again on another machine; 0 before it has begun.
    """

    path: Path
    done: int = 0
    total: int = 0
    epochs: list[EpochMetrics] = field(default_factory=list)
    environment: dict[str, Any] | None = None
    pid: int | None = None
    attempt: int = 0
    _offset: int = 0
    _head: bytes = b""

    def read(self) -> list[EpochMetrics]:
        """Read what was added since the last call; returns the epochs that are new.

        A file that another attempt has begun anew is read from its beginning, and all that was known is forgotten.
        """
        new: list[EpochMetrics] = []
        for line in self._added():
            if "environment" in line:
                self.pid, self.attempt = line["pid"], line["attempt"]
                self.environment = line["environment"]
            if "steps" in line:
                self.done, self.total = line["steps"]
            if "epoch" in line:
                new.append(EpochMetrics(**line["epoch"]))
        self.epochs.extend(new)
        return new

    def kill_process(self) -> None:
        """End the trial's process, where it is one of this machine."""
        here = self.environment is not None and self.environment.get("host") == socket.gethostname()
        if here and self.pid is not None and self.pid != os.getpid():
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def _added(self) -> list[dict[str, Any]]:
        try:
            with self.path.open("rb") as file:
                head = file.readline()
                if head.endswith(b"\n") and head != self._head:
                    self._head, self._offset, self.done, self.epochs = head, 0, 0, []
                file.seek(self._offset)
                content = file.read()
        except OSError:
            return []
        whole = content[: content.rfind(b"\n") + 1]
        self._offset += len(whole)
        return [content for content in map(_parsed, whole.splitlines()) if content is not None]


def _parsed(line: bytes) -> dict[str, Any] | None:
    """Read a line; None where it is damaged: progress is for looking on, and the outcome says all of it again."""
    try:
        content = json.loads(line)
    except ValueError:
        return None
    return content if isinstance(content, dict) else None
