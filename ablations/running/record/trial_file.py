"""The trial file of a study: results/STUDY/trials.jsonl, one line for each attempt that ended."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from filelock import FileLock

from ablations.running.machine.durable import append_durably, not_written
from ablations.running.record.trial_record import TrialRecord
from senet_core.errors import UserError

LOCK_SECONDS = 60.0
FILE_NAME = "trials.jsonl"
TORN_SUFFIX = ".torn"


@dataclass
class TrialFile:
    """The trials of one study, as read from their file.

    Attributes:
        path: the file; it need not exist.
        lines: every line, oldest first.
        torn: what follows the last line feed: a line that was being written when the process died.
    """

    path: Path
    lines: list[TrialRecord] = field(default_factory=list)
    torn: bytes = b""
    _size: int = 0
    _finished: dict[str, TrialRecord] = field(default_factory=dict, repr=False, compare=False)
    _seen: int = 0
    _newest: TrialRecord | None = field(default=None, repr=False, compare=False)

    @classmethod
    def load(cls, path: Path) -> TrialFile:
        """Read a trial file; a missing one is empty, and an unfinished last line is kept aside.

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
    def version(self) -> int:
        """Bytes of the complete lines, which grow with each line."""
        return self._size

    @property
    def finished(self) -> dict[str, TrialRecord]:
        """Finished trials by key, the newest line of each."""
        # a sweep asks several times a trial, so only what was added is looked at; a refresh makes the lines anew
        same = self._seen <= len(self.lines) and (
            not self._seen or self.lines[self._seen - 1] is self._newest
        )
        if not same:
            self._seen, self._finished = 0, {}
        for line in self.lines[self._seen :]:
            if line.status == "finished":
                self._finished[line.key] = line
        self._seen, self._newest = len(self.lines), self.lines[-1] if self.lines else None
        return self._finished

    @property
    def failed(self) -> dict[str, TrialRecord]:
        """Trials that failed and have not been finished since, by key, the newest line of each."""
        finished = self.finished
        return {line.key: line for line in self.lines if line.status == "failed" and line.key not in finished}

    @property
    def pruned(self) -> dict[str, TrialRecord]:
        """Trials that a search stopped early, by key."""
        return {line.key: line for line in self.lines if line.status == "pruned"}

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
            now = TrialFile.load(self.path)
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
        """Move an unfinished line aside; under the lock nobody is writing, so that it belongs to a sweep that died."""
        if not self.torn:
            return None
        aside = self.path.with_name(self.path.name + TORN_SUFFIX)
        append_durably(aside, self.torn + b"\n")
        os.truncate(self.path, self._size)
        self.torn = b""
        return aside

    def _lock(self) -> FileLock:
        return FileLock(self.path.with_name(f".{self.path.name}.lock"), timeout=LOCK_SECONDS)
