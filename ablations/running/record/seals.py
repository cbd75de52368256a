"""The sealed plans of a study, in results/STUDY/seal.jsonl: what was asked before the results were known."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ablations.running.machine.locks import locked
from ablations.running.record.json_lines import add_line, content_of, read_lines

FILE_NAME = "seal.jsonl"
LOCK_NAME = ".seal.lock"
_WHAT = "the sealed plans"


@dataclass(frozen=True)
class Seal:
    """One sealed plan.

    Attributes:
        time: ISO 8601 in UTC.
        commit: of the code; empty where none is known.
        dirty: whether the code was changed after its commit; None where that is not known.
        source: digest of the code.
        digest: of the plan; see `plan_digest`.
        fields: what was asked, as a study file says it, but for words that change no trial and no comparison.
        rule: how the comparisons are tested and corrected, in a line.
        rows: every row by its label, as a key of its trial with seed 0.
        primary: labels of the rows that are to confirm something; None for all of them.
        known: trials of the plan that were finished already, in whichever study of the results folder.
        planned: trials of the plan.
    """

    time: str
    commit: str
    dirty: bool | None
    source: str
    digest: str
    fields: Mapping[str, Any]
    rule: str
    rows: Mapping[str, str]
    primary: tuple[str, ...] | None
    known: int
    planned: int

    @property
    def says(self) -> tuple[Any, ...]:
        """What it seals: a second seal that says the same adds nothing."""
        return (self.digest, self.rule, self.primary)

    @classmethod
    def from_line(cls, line: str | bytes) -> Seal:
        """Read a line of the file.

        Raises:
            ValueError, KeyError, TypeError: it is not what `json.dumps` makes of a sealed plan.
        """
        content = content_of(line)
        primary = content.pop("primary")
        seal = cls(**content, primary=None if primary is None else tuple(primary))
        texts = (seal.time, seal.commit, seal.source, seal.digest, seal.rule, *(seal.primary or ()))
        if not all(isinstance(text, str) for text in texts) or not isinstance(seal.dirty, bool | None):
            raise TypeError(
                "time, commit, source, digest, rule and primary must be texts, and dirty true or false"
            )
        if not isinstance(seal.fields, dict) or not isinstance(seal.rows, dict):
            raise TypeError("fields and rows must be mappings")
        if not all(isinstance(key, str) for key in seal.rows.values()):
            raise TypeError("rows must be keys of trials")
        counts = (seal.known, seal.planned)
        if not all(type(count) is int and 0 <= count < 2**63 for count in counts):
            raise TypeError("known and planned must be whole numbers of at most 63 bits")
        return seal


def read_seals(folder: Path) -> tuple[Seal, ...]:
    """Read the sealed plans in a study's results folder, oldest first; none where there is no file.

    Raises:
        RecordError: it cannot be read, or a line in it is corrupt.
    """
    return read_lines(folder / FILE_NAME, _WHAT, Seal.from_line)


def add_seal(folder: Path, seal: Seal) -> Seal:
    """Write a sealed plan down, and return it; or the one that says the same already.

    Raises:
        RecordError: the file cannot be read.
        LockHeld: another process has held its lock for too long.
        DiskError: it cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder / LOCK_NAME):
        for before in read_seals(folder):
            if before.says == seal.says:
                return before
        add_line(folder / FILE_NAME, _WHAT, json.dumps(asdict(seal), allow_nan=False))
    return seal
