"""The proposals of a study's choices, in results/STUDY/proposals.jsonl: written down before they are trained."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from ablations.planning.choices.space import Params
from ablations.running.record.json_lines import add_line, content_of, read_lines

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
    return read_lines(folder / FILE_NAME, "the proposals", _parsed)


def add_proposal(folder: Path, proposal: Proposal) -> None:
    """Add a proposal durably; the caller holds the choice's lock.

    Raises:
        DiskError: the file cannot be written.
    """
    add_line(folder / FILE_NAME, "the proposals", json.dumps(asdict(proposal), allow_nan=False))


def _parsed(line: bytes) -> Proposal:
    proposal = Proposal(**content_of(line))
    texts = (proposal.arm, proposal.asked, proposal.key)
    if not all(isinstance(text, str) for text in texts) or not isinstance(proposal.params, dict):
        raise TypeError("arm, asked and key must be text, and params a mapping")
    if not all(isinstance(count, int) and 0 <= count < 2**63 for count in (proposal.number, proposal.seed)):
        raise TypeError("number and seed must be whole numbers of at most 63 bits")
    return proposal
