"""The proposals of a study's choices, in results/STUDY/proposals.jsonl: written down before they are trained."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from ablations.errors import RecordError
from ablations.planning.choices.space import Params
from ablations.running.machine.durable import append_durably, not_written

FILE_NAME = "proposals.jsonl"


@dataclass(frozen=True)
class Proposal:
    """One trial that takes part in a choice.

    Attributes:
        arm: which choice it belongs to, `Arm.name`.
        asked: what that choice was made from and for: another space, baseline or validation split is another choice.
        number: from 0, in the order of the arm's proposals.
        key: the trial's.
        seed: the trial's.
        params: what was proposed, by dimension.
    """

    arm: str
    asked: str
    number: int
    key: str
    seed: int
    params: Params


def read_proposals(folder: Path) -> tuple[Proposal, ...]:
    """Read the proposals in a study's results folder; an unfinished last line is passed over.

    Raises:
        RecordError: the file cannot be read, or a line in it is corrupt.
    """
    path = folder / FILE_NAME
    return tuple(_parsed(path, number, line) for number, line in enumerate(_whole_lines(path), 1))


def add_proposal(folder: Path, proposal: Proposal) -> None:
    """Add a proposal durably; the caller holds the choice's lock.

    Raises:
        DiskError: the file cannot be written.
    """
    path = folder / FILE_NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
        whole = sum(len(line) + 1 for line in _whole_lines(path))
        if path.exists() and path.stat().st_size > whole:
            os.truncate(path, whole)  # of a line that nobody acted upon
        append_durably(path, (json.dumps(asdict(proposal), allow_nan=False) + "\n").encode())
    except OSError as error:
        raise not_written(f"the proposals {path}", error, chosen=False) from error


def _whole_lines(path: Path) -> list[bytes]:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise RecordError(f"cannot read the proposals {path}: {error.strerror or error}") from error
    return content[: content.rfind(b"\n") + 1].splitlines()


def _parsed(path: Path, number: int, line: bytes) -> Proposal:
    try:
        content = json.loads(line)
        proposal = Proposal(**content)
        texts = (proposal.arm, proposal.asked, proposal.key)
        if not all(isinstance(text, str) for text in texts) or not isinstance(proposal.params, dict):
            raise TypeError("arm, asked and key must be text, and params a mapping")
        if not all(isinstance(count, int) for count in (proposal.number, proposal.seed)):
            raise TypeError("number and seed must be whole numbers")
    except (ValueError, TypeError, RecursionError) as error:
        raise RecordError(
            f"{path}, line {number} is corrupt: {error}; correct or remove that line"
        ) from error
    return proposal
