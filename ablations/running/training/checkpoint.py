"""Checkpoints of a running trial: complete or not there, verified when read, removed when the trial is recorded."""

from __future__ import annotations

import hashlib
import io
import logging
import os
import re
import shutil
import time
from collections.abc import Callable, Mapping
from enum import IntEnum
from pathlib import Path
from typing import Any

import torch

from ablations.running.machine.durable import write_durably
from ablations.running.training.processes.group import ALONE, Group
from ablations.running.trials.stopping import Stopped, TimedOut
from senet_core.bounded import GIB, check_unpacked, read_bounded

FOLDER = "checkpoints"
MAGIC = b"senet-ablations checkpoint 1\n"
MOST_BYTES = 32 * GIB
"""Limit of a checkpoint: weights and momenta of four thousand million parameters."""

KEPT = 2
MIN_SECONDS = 1.0
MAX_SECONDS = 60.0

log = logging.getLogger("ablations")


class Checkpoints:
    """The checkpoints of one trial.

    Args:
        folder: of this trial alone; created with the first checkpoint.
        context: what must be the same for a continued training to end as an uninterrupted one (commit, versions,
            device, precision, threads, data); a checkpoint of another context is not used.
        min_seconds: shortest time between checkpoints at the ends of epochs.
        max_seconds: time after which a checkpoint is written within an epoch.
    """

    def __init__(
        self,
        folder: Path,
        context: Mapping[str, Any],
        *,
        min_seconds: float = MIN_SECONDS,
        max_seconds: float = MAX_SECONDS,
    ) -> None:
        self._folder = folder
        self._context = dict(context)
        self._min_seconds = min_seconds
        self._max_seconds = max_seconds
        self._last = time.monotonic()
        self._warned = False

    def due(self, *, epoch_ended: bool) -> bool:
        """Return whether it is time for a checkpoint."""
        passed = time.monotonic() - self._last
        return passed >= (self._min_seconds if epoch_ended else self._max_seconds)

    def save(self, step: int, state: Mapping[str, Any]) -> None:
        """Write a checkpoint and keep the last two. If the disk is full, warn and go on."""
        self._last = time.monotonic()
        buffer = io.BytesIO()
        torch.save({"context": self._context, "step": step, "state": dict(state)}, buffer)
        payload = buffer.getvalue()
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            digest = hashlib.sha256(payload).hexdigest().encode()
            write_durably(self._folder / f"{step:012d}.pt", MAGIC + digest + b"\n" + payload)
        except OSError as error:
            if not self._warned:  # a long training would say so every minute
                log.warning("no checkpoint in %s: %s", self._folder, error.strerror or error)
            self._warned = True
            return
        self._warned = False
        for old in self._paths()[:-KEPT]:
            old.unlink(missing_ok=True)

    def newest(self) -> Mapping[str, Any] | None:
        """Return the newest undamaged state of this context; None where there is none."""
        for path in reversed(self._paths()):
            try:
                content = read_checkpoint(path)
            except ValueError as error:
                log.warning("checkpoint %s is passed over: %s", path, error)
                continue
            if content["context"] == self._context:
                state: Mapping[str, Any] = content["state"]
                return state
        return None

    def remove(self) -> None:
        """Remove all checkpoints of the trial."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _paths(self) -> list[Path]:
        return sorted(self._folder.glob("*.pt"))


class Unreadable(ValueError):
    """A checkpoint that could not be read now, and may be undamaged."""


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Return the `context`, `step` and `state` of a checkpoint; nothing in it can run code.

    Raises:
        Unreadable: the disk, missing rights or too little memory prevented it.
        ValueError: the file is truncated, damaged or not a checkpoint.
    """
    try:
        content = read_bounded(path, MOST_BYTES)
    except OSError as error:
        raise Unreadable(f"it cannot be read: {error.strerror or error}") from error
    except MemoryError as error:
        raise Unreadable("there was not enough memory to read it") from error
    head, _, payload = content.partition(b"\n")
    digest, _, payload = payload.partition(b"\n")
    if head + b"\n" != MAGIC:
        other = re.fullmatch(rb"senet-ablations checkpoint (\d{1,9})", head)
        raise ValueError(
            f"version {int(other[1])} of the format wrote it" if other else "it is no checkpoint"
        )
    if hashlib.sha256(payload).hexdigest().encode() != digest:
        raise ValueError("its checksum is wrong")
    check_unpacked(payload)
    try:
        loaded = torch.load(io.BytesIO(payload), map_location="cpu", weights_only=True)
    except MemoryError as error:
        raise Unreadable("there was not enough memory to load it") from error
    except Exception as error:  # the checksum is right, so somebody made it so; torch's reasons are many
        raise ValueError(f"it cannot be loaded: {type(error).__name__}") from error
    if not isinstance(loaded, dict) or not {"context", "step", "state"} <= loaded.keys():
        raise ValueError("it lacks its parts")
    return loaded


class _Verdict(IntEnum):
    """What happens after a step."""

    GO_ON = 0
    SAVE = 1
    STOP = 2
    TIME_OUT = 3
    LEAVE = 4


class Supervisor:
    """Saves the checkpoints of a running trial, and ends it when it should stop or takes too long.

    Where several processes train the trial, the first one decides and writes: all of them end after the same step.

    Args:
        checkpoints: where to save; None saves nothing.
        stop: returns whether the trial should stop; called at most five times a second.
        lost: returns whether another sweep has the trial now, whose checkpoints are left alone; called as often.
        timeout_seconds: limit of this attempt; None for no limit.
        group: the processes that train the trial.

    Attributes:
        checkpoints: as given.
        group: likewise.
    """

    def __init__(
        self,
        checkpoints: Checkpoints | None = None,
        *,
        stop: Callable[[], bool] = lambda: False,
        lost: Callable[[], bool] = lambda: False,
        timeout_seconds: float | None = None,
        group: Group = ALONE,
    ) -> None:
        self.checkpoints, self.group = checkpoints, group
        self._stop, self._lost = stop, lost
        self._timeout = timeout_seconds
        self._started = self._asked = time.monotonic()

    def after_step(
        self, step: int, state: Callable[[], Mapping[str, Any]], *, epoch_ended: bool, last: bool
    ) -> None:
        """Save a checkpoint if one is due, and raise if the trial must end here.

        Raises:
            Stopped: asked to stop, and the state is saved; or another sweep has the trial.
            TimedOut: the limit is over; the state is saved.
        """
        verdict = _Verdict(self.group.agree(self._verdict(epoch_ended=epoch_ended, last=last)))
        if verdict is _Verdict.LEAVE:
            raise Stopped
        if verdict is not _Verdict.GO_ON and self.checkpoints is not None:
            complete = state()  # each process has a part in it
            if self.group.is_first:
                self.checkpoints.save(step, complete)
        if verdict is _Verdict.TIME_OUT:
            raise TimedOut(f"the trial took longer than {self._timeout:g} s")
        if verdict is _Verdict.STOP:
            raise Stopped

    def _verdict(self, *, epoch_ended: bool, last: bool) -> _Verdict:
        if not self.group.is_first:
            return _Verdict.GO_ON  # it is not asked
        now, found = time.monotonic(), _Verdict.GO_ON
        if self._timeout is not None and now - self._started > self._timeout:
            found = _Verdict.TIME_OUT
        elif now - self._asked > 0.2:
            self._asked = now
            if self._lost():
                return _Verdict.LEAVE
            found = _Verdict.STOP if self._stop() else found
        if last:
            return _Verdict.GO_ON  # what is left to do is less than a checkpoint costs
        due = self.checkpoints is not None and self.checkpoints.due(epoch_ended=epoch_ended)
        if found is _Verdict.GO_ON and due:
            found = _Verdict.SAVE
        return _Verdict.LEAVE if found is not _Verdict.GO_ON and self._lost() else found


def any_file_exists(*paths: Path | None) -> Callable[[], bool]:
    """Return a function that returns whether one of the files exists."""
    asked = [path for path in paths if path is not None]
    return lambda: any(map(os.path.exists, asked))
