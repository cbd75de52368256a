"""The plans of a study's interim analyses, in results/STUDY/looks.jsonl.

Whoever analyses results and then adds seeds makes two analyses, and both spend from one error budget. So every analysis
of a complete study is written down, and a study that was extended afterwards is tested at all of them. What counts is
what was compared, not under which name: the ledgers of the other studies in a results folder are read, too.
"""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass
from pathlib import Path

from ablations.errors import RecordError
from ablations.running.machine.locks import locked
from ablations.running.record.json_lines import add_line, content_of, read_lines

FILE_NAME = "looks.jsonl"

log = logging.getLogger("ablations")


@dataclass(frozen=True)
class InterimPlan:
    """At which numbers of seeds a study was to be analysed.

    Attributes:
        asked: what was trained, as the key of the baseline with seed 0: another recipe is another study.
        looks: numbers of seeds at the interim analyses, rising from 2 or more; the last is at most `most`.
        most: seeds at which all of the error is spent.
        seeds: which, in the order in which they were added.
        rows: what was compared with it, as the keys of the rows with seed 0; empty where that was not written down.

    Raises:
        ValueError: the numbers do not rise so.
    """

    asked: str
    looks: tuple[int, ...]
    most: int
    seeds: tuple[int, ...]
    rows: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not (isinstance(self.asked, str) and all(isinstance(seed, int) for seed in self.seeds)):
            raise ValueError("asked must be text, and seeds whole numbers")
        if not all(isinstance(row, str) for row in self.rows):
            raise ValueError("rows must be texts")
        if not all(type(count) is int for count in (*self.looks, self.most)):
            raise ValueError(f"looks and most must be whole numbers, got {self.looks} and {self.most!r}")
        at = self.looks  # the name that the file has for the interim analyses
        if not at or list(at) != sorted(set(at)) or at[0] < 2 or at[-1] > self.most:
            raise ValueError(f"looks must rise from 2 to at most {self.most} seeds, got {at}")

    @classmethod
    def from_line(cls, line: str | bytes) -> InterimPlan:
        """Read a line of the file.

        Raises:
            ValueError, KeyError, TypeError: it is not what `json.dumps` makes of a plan.
        """
        content = content_of(line)
        rows = content.get("rows", ())
        if not isinstance(rows, list | tuple):
            raise ValueError(f"rows must be a list, got {rows!r}")
        looks, seeds = tuple(content["looks"]), tuple(content["seeds"])
        return cls(content["asked"], looks, content["most"], seeds, tuple(rows))


@dataclass(frozen=True)
class KnownPlans:
    """The plans that are known when a study is analysed.

    Attributes:
        own: in the study's ledger, oldest first.
        elsewhere: in those of the other studies beside it.
        sealed: whether the study is a race that was sealed as it is planned now.
    """

    own: tuple[InterimPlan, ...] = ()
    elsewhere: tuple[InterimPlan, ...] = ()
    sealed: bool = False


def read_interim_plans(folder: Path) -> tuple[InterimPlan, ...]:
    """Read the plans in a study's results folder; none where there is no file.

    Raises:
        RecordError: it cannot be read, or a line in it is corrupt.
    """
    return read_lines(folder / FILE_NAME, "the ledger of looks", InterimPlan.from_line)


def read_plans_elsewhere(folder: Path) -> tuple[InterimPlan, ...]:
    """Read the plans of the other studies in the same results folder; a ledger that cannot be read is passed over."""
    found: list[InterimPlan] = []
    for path in sorted(folder.parent.glob(f"*/{FILE_NAME}")):
        if path.parent.name == folder.name:
            continue
        try:
            found += read_interim_plans(path.parent)
        except RecordError as error:
            log.warning("interim analyses of another study are left out: %s", error)
    return tuple(found)


def add_interim_plan(folder: Path, plan: InterimPlan) -> None:
    """Write a plan down, unless the last line says the same.

    Raises:
        RecordError: the file cannot be read.
        LockHeld: another process has held its lock for too long.
        DiskError: it cannot be written.
    """
    with locked(folder / ".looks.lock"):  # another sweep may end at this moment
        if read_interim_plans(folder)[-1:] != (plan,):
            add_line(folder / FILE_NAME, "the ledger of looks", json.dumps(asdict(plan)))
