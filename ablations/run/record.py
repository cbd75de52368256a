"""The record of a study: results/STUDY/trials.jsonl, one line a trial. What it says is what was measured."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args

from filelock import FileLock

from ablations.run.durable import append_durably, not_written
from senet_core.errors import UserError

SCHEMA = 1
LOCK_SECONDS = 60.0
FILE_NAME = "trials.jsonl"
TORN_SUFFIX = ".torn"


Kind = Literal["diverged", "oom", "disk", "timeout", "killed", "error"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True)
class EpochMetrics:
    """One epoch of training.

    Attributes:
        epoch: from 1.
        train_loss: mean loss over the epoch's batches, as it was optimised (with label smoothing, if any).
        train_error: errors on the augmented training images, in per cent.
        lr: learning rate of the epoch's last step.
        seconds: wall time of the epoch.
    """

    epoch: int
    train_loss: float
    train_error: float
    lr: float
    seconds: float


@dataclass(frozen=True)
class TrialResult:
    """What one finished trial measured.

    Attributes:
        top1_error: errors on the test images by the last epoch's network, in per cent.
        top5_error: the same for the five best guesses; None where there are at most five classes.
        test_loss: mean cross-entropy on the test images, without smoothing.
        train_loss: of the last epoch.
        train_error: of the last epoch, in per cent.
        parameters: learnable parameters.
        multiply_adds: for one image.
        bottleneck_widths: bottleneck units of the blocks of each stage, keyed by the stage's number as text.
        train_seconds: wall time of the training.
        test_seconds: wall time of the evaluation.
        peak_memory_mib: highest resident memory of the process during the trial (on CUDA: of the device).
        weights_sha256: of the final weights and statistics.
    """

    top1_error: float
    top5_error: float | None
    test_loss: float
    train_loss: float
    train_error: float
    parameters: int
    multiply_adds: int
    bottleneck_widths: Mapping[str, int]
    train_seconds: float
    test_seconds: float
    peak_memory_mib: float
    weights_sha256: str


@dataclass(frozen=True)
class Failure:
    """Why a trial has no result.

    Attributes:
        kind: "diverged", "oom" (out of memory), "disk" (full or failing), "timeout", "killed" (its process died) or
            "error".
        message: one line.
        epoch: the epoch in which it happened, where that is known.
    """

    kind: Kind
    message: str
    epoch: int | None = None


@dataclass(frozen=True)
class TrialRecord:
    """One line of the record.

    Attributes:
        key: the trial's identity.
        study: the study in which it was trained or first used.
        status: "finished" or "failed".
        trial: the trial's canonical JSON.
        result: what a finished trial measured.
        history: its epochs.
        failure: why a failed one has no result.
        environment: commit, host, processor, versions, device, precision, threads.
        data_digest: SHA-256 of the prepared images and labels.
        data_note: what a reader must know of the data.
        started, finished: ISO 8601 in UTC.
        mlflow_run_id: the trial's MLflow run; None without tracking.
        shared_from: the study whose record the line was taken from; None where it was trained for this one.
    """

    key: str
    study: str
    status: Literal["finished", "failed"]
    trial: Mapping[str, Any]
    result: TrialResult | None
    history: tuple[EpochMetrics, ...]
    failure: Failure | None
    environment: Mapping[str, Any]
    data_digest: str
    data_note: str
    started: str
    finished: str
    mlflow_run_id: str | None = None
    shared_from: str | None = None

    def to_line(self) -> str:
        """Return the line for the record, without the line feed. Numbers read back exactly."""
        return json.dumps({"schema": SCHEMA, **asdict(self)}, allow_nan=False, separators=(",", ":"))

    @classmethod
    def from_line(cls, line: str) -> TrialRecord:
        """Read a line of the record.

        Raises:
            ValueError: it is not JSON, of another schema, or lacks a field.
        """
        content = json.loads(line)
        if not isinstance(content, dict):
            raise ValueError("it is not a JSON object")
        if content.get("schema") != SCHEMA:
            raise ValueError(f"its schema is {content.get('schema')!r}, this version reads {SCHEMA}")
        try:
            result, failure = content["result"], content["failure"]
            record = cls(
                key=content["key"],
                study=content["study"],
                status=content["status"],
                trial=content["trial"],
                result=None if result is None else TrialResult(**result),
                history=tuple(EpochMetrics(**epoch) for epoch in content["history"]),
                failure=None if failure is None else Failure(**failure),
                environment=content["environment"],
                data_digest=content["data_digest"],
                data_note=content["data_note"],
                started=content["started"],
                finished=content["finished"],
                mlflow_run_id=content.get("mlflow_run_id"),
                shared_from=content.get("shared_from"),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"a field is missing or of another form: {error}") from error
        if record.status not in ("finished", "failed") or (record.result is None) == (
            record.status == "finished"
        ):
            raise ValueError(f"its status {record.status!r} and its result do not belong together")
        return record


@dataclass
class Record:
    """The record of one study, as read from its file.

    Attributes:
        path: the file; it need not exist.
        lines: every line, oldest first.
        torn: what follows the last line feed: a line that was being written when the process died.
    """

    path: Path
    lines: list[TrialRecord] = field(default_factory=list)
    torn: bytes = b""
    _size: int = 0

    @classmethod
    def load(cls, path: Path) -> Record:
        """Read a record; a missing file is an empty record, and an unfinished last line is kept aside.

        Raises:
            UserError: the file cannot be read, or a line in it is corrupt: which, and why.
        """
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return cls(path)
        except OSError as error:
            raise UserError(f"cannot read the record {path}: {error.strerror or error}") from error
        *complete, torn = content.split(b"\n")
        record = cls(path, torn=torn, _size=len(content) - len(torn))
        for number, line in enumerate(complete, 1):
            try:
                record.lines.append(TrialRecord.from_line(line.decode("utf-8")))
            except (ValueError, RecursionError) as error:  # noqa: PERF203  (the message names the line)
                raise UserError(
                    f"{path}, line {number} is corrupt: {error}; correct or remove that line"
                ) from error
        return record

    @property
    def finished(self) -> dict[str, TrialRecord]:
        """Finished trials by key, the newest line of each."""
        return {line.key: line for line in self.lines if line.status == "finished"}

    @property
    def failed(self) -> dict[str, TrialRecord]:
        """Trials that failed and have not been finished since, by key, the newest line of each."""
        finished = self.finished
        return {line.key: line for line in self.lines if line.status == "failed" and line.key not in finished}

    def append(self, *records: TrialRecord, unless_finished: bool = False) -> list[TrialRecord]:
        """Add lines durably: they are on the disk when this returns, or the file is as it was before.

        Other sweeps may add to the same file: what they added is taken over first, and a line that one of them
        left unfinished when it died is set aside.

        Args:
            records: the lines.
            unless_finished: leave out trials that are finished meanwhile.

        Returns:
            The lines that were added.

        Raises:
            DiskError: the file cannot be written.
        """
        if not records:
            return []
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self._lock():
                self.refresh()
                self._mend()
                finished = self.finished if unless_finished else {}
                added = [record for record in records if record.key not in finished]
                content = "".join(f"{record.to_line()}\n" for record in added).encode()
                append_durably(self.path, content)
        except OSError as error:
            raise not_written(f"the record {self.path}", error, chosen=False) from error
        self._size += len(content)
        self.lines.extend(added)
        return added

    def refresh(self) -> None:
        """Take over what others have added since the file was last read.

        Raises:
            UserError: the file cannot be read, or a line is corrupt.
        """
        size = self.path.stat().st_size if self.path.exists() else 0
        if size != self._size:
            now = Record.load(self.path)
            self.lines, self.torn, self._size = now.lines, now.torn, now._size

    def set_torn_aside(self) -> Path | None:
        """Move an unfinished last line to a file beside the record; its trial will run again.

        Returns:
            The file that now holds it, or None where the last line was whole.

        Raises:
            DiskError: the files cannot be written.
        """
        if not self.torn:
            return None
        try:
            with self._lock():
                self.refresh()
                return self._mend()
        except OSError as error:
            raise not_written(f"the record {self.path}", error, chosen=False) from error

    def _mend(self) -> Path | None:
        """Under the lock nobody is writing: what has no line feed belongs to a sweep that died."""
        if not self.torn:
            return None
        aside = self.path.with_name(self.path.name + TORN_SUFFIX)
        append_durably(aside, self.torn + b"\n")
        os.truncate(self.path, self._size)
        self.torn = b""
        return aside

    def _lock(self) -> FileLock:
        return FileLock(self.path.with_name(f".{self.path.name}.lock"), timeout=LOCK_SECONDS)


def find_shared(keys: Iterable[str], results_dir: Path, study: str, digest: str) -> list[TrialRecord]:
    """Find trials that other studies have finished on the same data.

    Args:
        keys: the trials looked for.
        results_dir: where the studies' records are.
        study: the study that asks; its own record is not looked at.
        digest: the data that the trials must have been trained on.

    Returns:
        Lines for the asking study's record; records that cannot be read are passed over.
    """
    wanted = set(keys)
    found: dict[str, TrialRecord] = {}
    for path in sorted(results_dir.glob(f"*/{FILE_NAME}")):
        if path.parent.name == study or not wanted:
            continue
        try:
            finished = Record.load(path).finished
        except UserError:
            continue
        for key in wanted & finished.keys():
            if finished[key].data_digest == digest:
                origin = finished[key].shared_from or path.parent.name
                found[key] = replace(finished[key], study=study, shared_from=origin)
        wanted -= found.keys()
    return list(found.values())
