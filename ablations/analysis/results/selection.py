"""Choices: what a tuned study or a search has chosen on validation data, and the rows that come of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from ablations.planning.choices.arms import Arm, arms_of
from ablations.planning.choices.space import Params
from ablations.planning.design import Design
from ablations.planning.row import Row
from ablations.planning.trial import Trial
from ablations.running.record.study_record import StudyRecord
from ablations.running.search.judged import Judged, is_over, judge, planned

FIXED = "{} (study's {})"
"""A row of a tuned study that is run with the study's own recipe or values, for comparison."""


@dataclass(frozen=True)
class Candidate:
    """A row that was proposed at least once, and finished.

    Attributes:
        params: what was proposed first for it.
        row: to be judged on the test images.
        values: of the objectives, means over its proposals.
        costs: the same as figures that are to be small.
        visits: how many of its proposals finished.
    """

    params: Params
    row: Row
    values: tuple[float, ...]
    costs: tuple[float, ...]
    visits: int


@dataclass(frozen=True)
class Choice:
    """One arm and how far it is.

    Attributes:
        arm: what is chosen.
        judged: its proposals, in their order.
        candidates: those that finished, the best on validation data first.
        over: whether the budget is used up and everything has ended.
    """

    arm: Arm
    judged: tuple[Judged, ...]
    candidates: tuple[Candidate, ...]
    over: bool

    @property
    def best(self) -> Candidate | None:
        """The candidate that is best on validation data, once the choice is over."""
        return self.candidates[0] if self.over and self.candidates else None

    @property
    def front(self) -> tuple[Candidate, ...]:
        """The candidates that no other one beats in every objective, the best on validation data first."""
        return tuple(c for c in self.candidates if not any(_beats(d.costs, c.costs) for d in self.candidates))

    @property
    def planned(self) -> int:
        """Proposals that count, and those that are still to come as far as that is known."""
        return planned(self.arm, self.judged)


@dataclass(frozen=True)
class Selection:
    """The rows and trials that a study's choices have led to.

    Attributes:
        choices: how far each is; none where the study chooses nothing.
        design: the rows that they have led to: a tuned study's with the recipes that were chosen for them; a search's
            are the baseline, the plain network and the winners, with the fresh seeds of `confirm`.
        undecided: labels of rows that wait for a choice, and have no trials yet.
        beside: trials that belong to the study beside those of its rows: the proposals, and a tuned study's rows with
            the study's own recipe.
    """

    choices: tuple[Choice, ...]
    design: Design
    undecided: frozenset[str] = frozenset()
    beside: tuple[tuple[Row, Trial], ...] = ()

    @cached_property
    def planned(self) -> tuple[Trial, ...]:
        """The trials on test images that the study has come to so far, seed by seed."""
        decided = [row for row in self.design.rows if row.label not in self.undecided]
        fixed = [trial for _, trial in self.beside if not trial.proposed]
        rows = [row.trial(seed) for seed in self.design.seeds for row in decided]
        return tuple({trial.key: trial for trial in (*fixed, *rows)}.values())

    @cached_property
    def by_key(self) -> dict[str, tuple[Row, Trial]]:
        """Every trial that the study has come to so far, by key, with its row."""
        known = {key: pair for key, pair in self.design.by_key.items() if pair[0].label not in self.undecided}
        return {trial.key: (row, trial) for row, trial in self.beside} | known


def select(design: Design, record: StudyRecord) -> Selection:
    """Read a study's choices from its proposals and trials, and the rows that they have led to.

    Raises:
        RecordError: the proposals cannot be read.
        StudyError: a range does not fit its field of the recipe.
    """
    if not design.kind.chooses:
        return Selection((), design)
    choices = tuple(_choice(arm, judge(arm, record.proposals, record.trials)) for arm in arms_of(design))
    proposed = [(j.row, j.trial) for choice in choices for j in choice.judged]
    if design.study.search is not None:
        over = choices[0].over
        winners = winners_of(choices[0], design.study.search.winners) if over else ()
        rows = design.with_winners(winner.row for winner in winners)
        undecided = () if over else (row.label for row in rows.rows)
        return Selection(choices, rows, frozenset(undecided), tuple(proposed))
    chosen = {c.arm.label: replace(c.best.row, label=c.arm.label) for c in choices if c.best is not None}
    waiting = {row.label for row in design.rows} - chosen.keys()
    return Selection(choices, design.with_rows(chosen), frozenset(waiting), (*proposed, *_fixed(design)))


def winners_of(choice: Choice, most: int) -> tuple[Candidate, ...]:
    """Return the candidates that are compared on fresh seeds: with one objective the best, else spread over the front.

    Args:
        choice: a search that is over.
        most: how many at most, at least 1.
    """
    found = choice.candidates if len(choice.arm.objectives) == 1 else choice.front
    if len(choice.arm.objectives) == 1 or len(found) <= most:
        return found[:most]
    positions = {round(k * (len(found) - 1) / max(1, most - 1)) for k in range(most)}
    return tuple(found[position] for position in sorted(positions))


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
            alike.setdefault(j.row.identity, []).append(j)
    candidates = [_candidate(arm, group) for group in alike.values()]
    candidates.sort(key=lambda c: (c.costs[arm.place], c.costs))
    return Choice(arm, judged, tuple(candidates), is_over(arm, judged))


def _candidate(arm: Arm, group: Sequence[Judged]) -> Candidate:
    values = [j.values for j in group if j.values is not None]
    means = tuple(sum(column) / len(values) for column in zip(*values, strict=True))
    params = group[0].proposal.params
    costs = tuple(each.cost(mean) for each, mean in zip(arm.objectives, means, strict=True))
    return Candidate(params, arm.space.row(params), means, costs, len(values))


def _beats(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one != other and all(a <= b for a, b in zip(one, other, strict=True))


def _fixed(design: Design) -> Iterator[tuple[Row, Trial]]:
    """Return a tuned study's rows with the study's own values, where they are compared."""
    own, _ = design.study.chosen
    if design.study.tune is not None and design.study.tune.compare_fixed:
        for seed in design.seeds:
            for row in design.rows:
                yield replace(row, label=FIXED.format(row.label, own)), row.trial(seed)
