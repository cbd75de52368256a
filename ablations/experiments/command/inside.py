"""For programs that a sweep runs: what they are to do, in a few lines of Python, of the standard library alone.

import ablations

trial = ablations.trial()
lr = trial.factors.get("lr", 0.1)
...
trial.result(accuracy=91.3)
"""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

TRIAL = "ABLATE_TRIAL"
"""The environment variable that names the file with the trial."""

RESULT = "metrics.json"
_MOST_STEP_BYTES = 64 * 2**20


@dataclass
class CurrentTrial:
    """The trial that this program runs; outside of a sweep one without factors, in the working folder.

    Attributes:
        factors: their values by name.
        seed: from 0.
        folder: where to leave results and states; what an earlier attempt left is there.
        continued: whether an earlier attempt was stopped, or died.
        proposed: whether it takes part in a choice: the metrics on validation data are enough then.
        device: "cpu", "cuda" or "mps".
        threads: the cores that are the trial's.
    """

    factors: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    folder: Path = field(default_factory=Path)
    continued: bool = False
    proposed: bool = False
    device: str = "cpu"
    threads: int = 1
    _stop_file: Path | None = None
    _steps_file: Path | None = None
    _signalled: bool = False

    def report(self, step: int, **metrics: float) -> None:
        """Tell metrics on the way; `step` rises from 1."""
        if self._steps_file is not None:
            with self._steps_file.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"step": step, "metrics": metrics}) + "\n")

    def should_stop(self) -> bool:
        """Return whether the program was asked to stop: it saves its state in `folder`, and ends."""
        return self._signalled or (self._stop_file is not None and self._stop_file.exists())

    def result(self, **metrics: float) -> None:
        """Leave the metrics where `read: {json: metrics.json}` finds them, which is what a study reads by default."""
        draft = self.folder / f".{RESULT}.draft"
        draft.write_text(json.dumps(metrics), encoding="utf-8")
        draft.replace(self.folder / RESULT)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._signalled = True


def trial() -> CurrentTrial:
    """Return the trial that this program runs.

    In the main thread, SIGTERM is then no longer the end of the program: `should_stop()` says that it came.

    Raises:
        RuntimeError: the file with the trial cannot be read.
    """
    named = os.environ.get(TRIAL)
    if named is None:
        return CurrentTrial()
    try:
        told = json.loads(Path(named).read_text(encoding="utf-8"))
        found = CurrentTrial(
            factors=told["factors"],
            seed=told["seed"],
            folder=Path(told["folder"]),
            continued=told["continued"],
            proposed=told["proposed"],
            device=told["device"],
            threads=told["threads"],
            _stop_file=Path(told["stop_file"]),
            _steps_file=Path(told["steps_file"]),
        )
    except (OSError, ValueError, KeyError) as error:
        raise RuntimeError(f"{TRIAL} names {named}, which says no trial: {error}") from error
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, found._on_signal)
    return found


class SteadyFile:
    """A file of steps that a program appends to, read as it grows.

    Args:
        path: of the file, which need not exist yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._offset, self._last = 0, 0

    def added(self) -> Iterator[tuple[int, dict[str, float]]]:
        """Yield the steps that were added since the last call; lines that are none are passed over."""
        try:
            with self.path.open("rb") as file:
                file.seek(self._offset)
                content = file.read(_MOST_STEP_BYTES)
        except OSError:
            return
        whole = content[: content.rfind(b"\n") + 1]
        self._offset += len(whole)
        for line in whole.splitlines():
            try:
                told = json.loads(line)
                step, metrics = told["step"], {str(n): float(v) for n, v in told["metrics"].items()}
            except (ValueError, KeyError, TypeError, AttributeError):
                continue
            if type(step) is int and step > self._last:
                self._last = step
                yield step, metrics
