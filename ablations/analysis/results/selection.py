"""Choices: what a tuned study or a search has chosen on validation images, and the rows that come of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ablations.planning.choices.arms import Arm, arms_of
from ablations.planning.choices.space import Params, SearchSpace
from ablations.planning.design import Design
from ablations.planning.labels import distinct_labels
from ablations.planning.row import Cell
from ablations.planning.trial import Trial
from ablations.running.record.proposals import read_proposals
from ablations.running.record.trial_file import Record
from ablations.running.search.judged import Judged, is_over, judge, planned
from ablations.running.sweep.status import RowStatus

FIXED = "{} (study's recipe)"
"""A row of a tuned study that is trained with the study's own recipe, for comparison."""


@dataclass(frozen=True)
class Candidate:
    """A network and recipe that was proposed at least once, and finished.

    Attributes:
        params: what was proposed first for it.
        row: to be judged on the test images.
        values: of the objectives, means over its proposals.
        visits: how many of its proposals finished.
    """

    params: Params
    row: Cell
    values: tuple[float, ...]
    visits: int


@dataclass(frozen=True)
class Choice:
    """One arm and how far it is.

    Attributes:
        arm: what is chosen.
        judged: its proposals, in their order.
        candidates: those that finished, the lowest validation error first.
        over: whether the budget is used up and everything has ended.
    """

    arm: Arm
    judged: tuple[Judged, ...]
    candidates: tuple[Candidate, ...]
    over: bool

    @property
    def best(self) -> Candidate | None:
        """The candidate with the lowest validation error, once the choice is over."""
        return self.candidates[0] if self.over and self.candidates else None

    @property
    def front(self) -> tuple[Candidate, ...]:
        """The candidates that no other one beats in every objective, the lowest validation error first."""
        return tuple(
            c for c in self.candidates if not any(_beats(d.values, c.values) for d in self.candidates)
        )

    @property
    def planned(self) -> int:
        """Proposals that count, and those that are still to come as far as that is known."""
        return planned(self.arm, self.judged)


def choices_of(design: Design, record: Record) -> tuple[Choice, ...]:
    """Read a study's choices from its proposals and its record; none where it chooses nothing.

    Raises:
        UserError: the proposals cannot be read, or a range does not fit its field of the recipe.
    """
    arms = arms_of(design)
    proposals = read_proposals(record.path.parent) if arms else ()
    return tuple(_choice(arm, judge(arm, proposals, record)) for arm in arms)


def settled(design: Design, record: Record) -> Design:
    """Return a study with the rows that its choices have led to; other studies as they are.

    A tuned study's rows get the recipes that were chosen for them. A search's rows are the baseline, the plain network
    and the winners, with the fresh seeds of `confirm`.
    """
    study = design.study
    if design.settled or (study.tune is None and study.search is None):
        return design
    choices = choices_of(design, record)
    proposed = [(j.cell, j.trial) for choice in choices for j in choice.judged]
    if study.tune is not None:
        rows = {cell.label: cell for cell in design.cells}
        chosen = {c.arm.name: replace(c.best.row, label=c.arm.name) for c in choices if c.best is not None}
        besides = (*proposed, *_fixed(design))
        return design.with_rows(rows | chosen, besides, rows.keys() - chosen.keys())
    assert study.search is not None
    over = choices[0].over
    winners = winners_of(choices[0], study.search.winners) if over else ()
    cells = {cell.network: cell for cell in (*design.cells, *(winner.row for winner in winners))}
    named = distinct_labels(tuple(cells.values()))
    return replace(
        design,
        study=study.model_copy(update={"seeds": design.confirm_seeds, "confirm": 0}),
        cells=tuple(named.values()),
        baseline=named[design.baseline.network],
        plain=design.plain and named[design.plain.network],
        besides=tuple(proposed),
        undecided=frozenset() if over else frozenset(cell.label for cell in named.values()),
        settled=True,
        untouched=design,
    )


def trials_of_rows(design: Design, record: Record) -> tuple[Trial, ...]:
    """Give all trials on test images that a study with choices has come to so far."""
    fixed = tuple(trial for _, trial in _fixed(design))
    trials = {trial.key: trial for trial in (*fixed, *settled(design, record).trials)}
    return tuple(trials.values())


def choice_status(design: Design, record: Record) -> list[RowStatus]:
    """Say how far a study's choices are, as rows of its status: proposals that count, failed, and are left."""
    rows = []
    for choice in choices_of(design, record):
        counted = sum(j.counts for j in choice.judged)
        failed = sum(j.state == "failed" for j in choice.judged)
        name = choice.arm.name if is_search(choice) else f"{choice.arm.name}: choice of a recipe"
        rows.append(RowStatus(name, counted, failed, 0, choice.planned - counted))
    return rows


def winners_of(choice: Choice, most: int) -> tuple[Candidate, ...]:
    """Give the candidates that are compared on fresh seeds: with one objective the best, else spread over the front.

    Args:
        choice: a search that is over.
        most: how many at most, at least 1.
    """
    found = choice.candidates if len(choice.arm.objectives) == 1 else choice.front
    if len(choice.arm.objectives) == 1 or len(found) <= most:
        return found[:most]
    places = {round(k * (len(found) - 1) / max(1, most - 1)) for k in range(most)}
    return tuple(found[place] for place in sorted(places))


def hypervolume(points: Sequence[tuple[float, float]], reference: tuple[float, float]) -> float:
    """Return the area that points of two objectives dominate, up to a reference point; both are to be small.

    Source: Zitzler and Thiele 1998, "Multiobjective optimization using evolutionary algorithms".
    """
    area, height = 0.0, reference[1]
    for x, y in sorted(points):
        if x < reference[0] and y < height:
            area += (reference[0] - x) * (height - y)
            height = y
    return area


def _choice(arm: Arm, judged: tuple[Judged, ...]) -> Choice:
    alike: dict[object, list[Judged]] = {}
    for j in judged:
        if j.values is not None:
            alike.setdefault(j.cell.network, []).append(j)
    candidates = [_candidate(arm, group) for group in alike.values()]
    place = arm.objectives.index("validation_error")
    candidates.sort(key=lambda c: (c.values[place], c.values))
    return Choice(arm, judged, tuple(candidates), is_over(arm, judged))


def _candidate(arm: Arm, group: Sequence[Judged]) -> Candidate:
    values = [j.values for j in group if j.values is not None]
    means = tuple(sum(column) / len(values) for column in zip(*values, strict=True))
    params = group[0].proposal.params
    return Candidate(params, arm.space.row(params), means, len(values))


def _beats(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one != other and all(a <= b for a, b in zip(one, other, strict=True))


def _fixed(design: Design) -> Iterator[tuple[Cell, Trial]]:
    """Give a tuned study's rows with the study's own recipe, where they are compared."""
    if design.study.tune is not None and design.study.tune.compare_fixed:
        for seed in design.seeds:
            for cell in design.cells:
                yield replace(cell, label=FIXED.format(cell.label)), cell.trial(seed)


def is_search(choice: Choice) -> bool:
    """Return whether a choice is a search among networks, not the tuning of a row."""
    return isinstance(choice.arm.space, SearchSpace)
