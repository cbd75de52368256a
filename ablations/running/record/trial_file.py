"""The trial file of a study: results/STUDY/trials.jsonl, one line for each attempt that ended."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from ablations.errors import RecordError
from ablations.running.machine.durable import append_durably, not_written
from ablations.running.machine.locks import locked
from ablations.running.record.json_lines import set_cut_off_aside
from ablations.running.record.schema import NewerSchema
from ablations.running.record.trial_record import TrialRecord
from senet_core.bounded import MIB, open_plain

FILE_NAME = "trials.jsonl"
MOST_LINE = 16 * MIB
"""Limit of one line, in bytes; a trial of 270 epochs has 2**15."""


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
    _file: tuple[int, int] | None = field(default=None, repr=False, compare=False)
    _finished: dict[str, TrialRecord] = field(default_factory=dict, repr=False, compare=False)
    _seen: int = 0
    _newest: TrialRecord | None = field(default=None, repr=False, compare=False)

    @classmethod
    def load(cls, path: Path) -> TrialFile:
        """Read a trial file; a missing one is empty, and an unfinished last line is kept aside.

        Raises:
            RecordError: the file cannot be read, or a line in it is corrupt: which, and why.
        """
        record = cls(path)
        record._read_from(0)
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
    def written_as(self) -> dict[str, set[str]]:
        """The keys of the trials that were written as "auto", by the keys that their lines have in the file."""
        found: dict[str, set[str]] = {}
        for line in self.lines:
            if line.written_as is not None:
                found.setdefault(line.written_as, set()).add(line.key)
        return found

    @property
    def once_auto(self) -> frozenset[str]:
        """The precisions of the trials that were written as "auto"."""
        return frozenset(
            line.trial["recipe"]["precision"] for line in self.lines if line.written_as is not None
        )

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
            The lines that were added, as they are read back: foreign text in them is printable.

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
                lines = [record.to_line() for record in records if record.key not in finished]
                added = [
                    TrialRecord.from_line(line) for line in lines
                ]  # what cannot be read would block the study
                content = "".join(f"{line}\n" for line in lines).encode()
                append_durably(self.path, content)
                told = self.path.stat()
        except OSError as error:
            raise not_written(f"the record {self.path}", error, chosen=False) from error
        self._size, self._file = self._size + len(content), (told.st_dev, told.st_ino)
        self.lines.extend(added)
        return added

    def refresh(self) -> None:
        """Take over what others have added since the file was last read.

        Raises:
            RecordError: the file cannot be read, or a line is corrupt.
        """
        try:
            now = self.path.stat()
        except OSError:
            self.lines, self.torn, self._size, self._file = [], b"", 0, None
            return
        if (
            self._file != (now.st_dev, now.st_ino) or now.st_size < self._size
        ):  # another file, or a shorter one
            self.lines = []
            self._read_from(0)
        elif now.st_size > self._size:
            self._read_from(self._size)

    def _read_from(self, start: int) -> None:
        """Read the lines from a byte on; a missing file has none, and an unfinished last line is kept aside."""
        lines: list[TrialRecord] = []
        size = start
        try:
            with open_plain(self.path) as file:
                told = os.fstat(file.fileno())
                file.seek(start)
                while (line := file.readline(MOST_LINE + 1)).endswith(b"\n"):
                    lines.append(self._parsed(line[:-1], len(self.lines) + len(lines) + 1))
                    size += len(line)
                if len(line) > MOST_LINE:
                    raise RecordError(
                        f"{self.path}, line {len(self.lines) + len(lines) + 1} is corrupt: it is longer than"
                        f" {MOST_LINE:,} bytes; correct or remove that line"
                    )
        except FileNotFoundError:
            return
        except OSError as error:
            raise RecordError(f"cannot read the record {self.path}: {error.strerror or error}") from error
        self.lines.extend(lines)
        self.torn, self._file, self._size = line, (told.st_dev, told.st_ino), size

    def _parsed(self, line: bytes, number: int) -> TrialRecord:
        try:
            return TrialRecord.from_line(line.decode("utf-8"))
        except NewerSchema as error:
            raise RecordError(f"{self.path}, line {number}: {error}") from error
        except (ValueError, RecursionError) as error:
            raise RecordError(
                f"{self.path}, line {number} is corrupt: {error}; correct or remove that line"
            ) from error

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
        aside = set_cut_off_aside(self.path) if self.torn else None
        self.torn = b""
        return aside

    def _lock(self) -> AbstractContextManager[None]:
        return locked(self.path.with_name(f".{self.path.name}.lock"), interruptible=False)
