"""Judged proposals: the proposals of a choice with the results that the record has of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from ablations.errors import RecordError
from ablations.planning.choices.arms import Arm
from ablations.planning.row import Row
from ablations.planning.trial import Trial
from ablations.running.record.proposals import FILE_NAME, Proposal
from ablations.running.record.trial_file import TrialFile
from ablations.running.record.trial_record import MetricsResult, Result, TrialRecord

State = Literal["open", "finished", "pruned", "diverged", "failed"]


@dataclass(frozen=True)
class Judged:
    """A proposal and its result.

    Attributes:
        arm: the choice.
        proposal: what was proposed.
        line: of the record; None while it is open.
        state: "open": not ended, running or not; "failed": ended for reasons of the machine, which says nothing of
            the proposal and does not count; "diverged" counts, and as bad as can be.
        values: of the objectives, where it finished.
    """

    arm: Arm
    proposal: Proposal
    line: TrialRecord | None
    state: State
    values: tuple[float, ...] | None

    @cached_property
    def row(self) -> Row:
        """The row that was run, judged on validation data."""
        return self.arm.space.proposed_row(self.proposal.params)

    @cached_property
    def trial(self) -> Trial:
        """The trial."""
        return self.row.trial(self.proposal.seed)

    @property
    def is_start(self) -> bool:
        """Whether it proposes the study's own baseline or recipe."""
        start = self.arm.space.start
        return start is not None and start.items() <= self.proposal.params.items()

    @property
    def counts(self) -> bool:
        """Whether it used up a part of the budget."""
        return self.state in ("finished", "pruned", "diverged")

    @property
    def seconds(self) -> float:
        """Seconds of training and judging that the record has of it; of a program that failed those of its steps."""
        line = self.line
        if line is None:
            return 0.0
        if isinstance(line.result, MetricsResult):
            return line.result.train_seconds or 0.0  # it need not report steps
        judged = 0.0 if line.result is None else line.result.test_seconds
        return judged + sum(epoch.seconds for epoch in line.history)


def judge(arm: Arm, proposals: Sequence[Proposal], record: TrialFile) -> tuple[Judged, ...]:
    """Return an arm's proposals with their results, in their order.

    Args:
        arm: the choice.
        proposals: of the whole study; those of other choices are passed over.
        record: the study's.

    Raises:
        RecordError: a proposal is none that the choice could have made, as after an edit by hand.
    """
    lines = {line.key: line for line in record.lines}
    lines |= record.finished
    own = own_proposals(arm, proposals, record)
    return tuple(_judged(arm, proposal, lines.get(proposal.key)) for proposal in own)


def own_proposals(arm: Arm, proposals: Sequence[Proposal], record: TrialFile) -> list[Proposal]:
    """Return an arm's proposals, in their order, with the keys that their trials have.

    Those of a study that was begun when trials said "auto" are an arm's if such trials were computed in its precision.

    Raises:
        RecordError: a proposal is none that the choice could have made.
    """
    once = arm.precision in record.once_auto
    found = []
    for proposal in proposals:
        as_auto = once and proposal.asked == arm.asked_as_auto
        if proposal.arm != arm.name or not (as_auto or proposal.asked == arm.asked):
            continue
        _check(arm, proposal)
        if as_auto:
            trial = arm.space.proposed_row(proposal.params).trial(proposal.seed)
            proposal = replace(proposal, asked=arm.asked, key=trial.key)
        found.append(proposal)
    return found


def lacking(arm: Arm, judged: Sequence[Judged]) -> int:
    """Return how many proposals an arm still lacks, those that are open counted as if they ended well.

    For a budget of hours, which ends when it ends: 1 as long as hours are left.
    """
    if arm.trials is not None:
        return max(0, arm.trials - sum(j.counts or j.state == "open" for j in judged))
    assert arm.hours is not None
    return int(sum(j.seconds for j in judged) < 3600 * arm.hours)


def left(arm: Arm, judged: Sequence[Judged]) -> int:
    """Return how many proposals are still to end, those that run included, as far as that is known."""
    return lacking(arm, judged) + sum(j.state == "open" for j in judged)


def planned(arm: Arm, judged: Sequence[Judged]) -> int:
    """Return how many proposals an arm comes to: those that count, and those that are still to end."""
    return sum(j.counts for j in judged) + left(arm, judged)


def is_over(arm: Arm, judged: Sequence[Judged]) -> bool:
    """Return whether an arm's budget is used up and all its proposals have ended."""
    return left(arm, judged) == 0


def _check(arm: Arm, proposal: Proposal) -> None:
    dimensions = {dimension.name: dimension for dimension in arm.space.dimensions}
    wrong = sorted(dimensions.keys() ^ proposal.params.keys())
    wrong += [
        name
        for name, value in proposal.params.items()
        if name in dimensions and not dimensions[name].has(value)
    ]
    if wrong:
        raise RecordError(
            f"proposal {proposal.number} of {arm.name!r} in {FILE_NAME} chooses {wrong[0]!r} as the study cannot;"
            " correct or remove that line"
        )


def _judged(arm: Arm, proposal: Proposal, line: TrialRecord | None) -> Judged:
    state: State = "open"
    values = None
    if line is not None:
        diverged = line.failure is not None and line.failure.kind == "diverged"
        state = "diverged" if diverged else line.status
        values = _values(arm, line.result) if line.result is not None else None
    return Judged(arm, proposal, line, state, values)


def _values(arm: Arm, result: Result) -> tuple[float, ...] | None:
    found = [result.value(objective.metric.column) for objective in arm.objectives]
    known = tuple(float(value) for value in found if value is not None)
    return known if len(known) == len(found) else None
