"""The contract of a kind of design, which each file of this folder keeps."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Protocol

from ablations.errors import StudyError
from ablations.planning.designs.sizes import MOST_ROWS, count_text, shown_sizes

if TYPE_CHECKING:
    from ablations.planning.design import Design
    from ablations.planning.study import Study
    from ablations.planning.trial import Trial

CONFIRM_FROM = 1_000_000
"""The fresh seeds of a confirmation are this one and those after it."""

Levels = tuple[int | None, ...]
"""A row as one level for each axis, counted from 0; None where it stays as the baseline."""


class Known(Protocol):
    """The part of a study's results from which a kind of design decides what is trained next."""

    @property
    def measured(self) -> Mapping[str, object]:
        """Every finished trial of the record, by key."""

    @property
    def planned(self) -> Sequence[Trial]:
        """The trials of all rows with all seeds, seed by seed, as far as the rows are known."""

    def race_trials(self, ended: Collection[str]) -> Sequence[Trial]:
        """Return what the present round of a race still lacks."""


class DesignKind(ABC):
    """One kind of design: its rows, its families of comparisons, what is trained next, and its part of a report.

    Attributes:
        name: as `design:` of a study file says it.
        description: in a sentence, for the schema of study files.
        field: the field of a study that belongs to this kind alone ("race", "tune", "search"); None for none.
        varies_alone: whether each axis is varied alone around the baseline, and makes a table of its own.
        decides: whether the study itself decides which trials are trained, so that no single row can be asked for.
        crosses: whether rows combine values of several axes so that effects and interactions can be told apart.
        races: whether seeds are added in rounds.
        chooses: whether it makes choices on validation images before its rows are known.
        section: the section that a report has for this kind alone, by its name in analysis/report/sections.py.
    """

    name: ClassVar[str]
    description: ClassVar[str]
    field: ClassVar[str | None] = None
    varies_alone: ClassVar[bool] = True
    crosses: ClassVar[bool] = False
    decides: ClassVar[bool] = False
    races: ClassVar[bool] = False
    chooses: ClassVar[bool] = False
    section: ClassVar[str | None] = None

    @abstractmethod
    def rows(self, sizes: Sequence[int], baseline: tuple[int, ...] | None) -> Iterator[Levels]:
        """Return the rows beside the baseline and the plain network.

        Args:
            sizes: the number of levels of each axis.
            baseline: the baseline's level on each axis; None where an axis does not list its value.
        """

    def label(self, given: str, changed: Sequence[str], axes: Sequence[str]) -> str:
        """Return the label of a row.

        Args:
            given: made of its values.
            changed: the axes on which it has a value of theirs; none for the baseline.
            axes: all of the study's.
        """
        return given

    def check_seeds(self, study: Study) -> None:
        """Refuse seeds that do not fit the kind.

        Raises:
            ValueError: with the reason.
        """
        if not study.seeds:
            raise ValueError("give at least one seed")
        if study.confirm and max(study.seeds) >= CONFIRM_FROM:
            raise ValueError(f"with confirm, seeds must be below {CONFIRM_FROM}")

    def check(self, study: Study) -> None:  # noqa: B027  (most kinds have nothing to refuse)
        """Refuse a study whose fields do not go together; called when the kind's own field is there.

        Raises:
            ValueError: with the reason.
        """

    def check_size(self, study: Study) -> int:
        """Refuse more rows than anybody can mean; returns how many a task has at most, beside the two fixed ones.

        Raises:
            StudyError: with the numbers.
        """
        rows = sum(len(values) for values in study.varied.values())
        if rows > MOST_ROWS:
            raise StudyError(
                f"{shown_sizes(study)} has {count_text(rows)} rows; at most {MOST_ROWS:,}: vary less"
            )
        return rows

    def comparisons(self, design: Design) -> int:
        """Return how many comparisons with the baseline the report corrects together, at least 1."""
        return max(1, len(design.pairs))

    def first_analysis(self, study: Study) -> int:
        """Return the number of seeds at the first interim analysis; all of them where there is only the last one."""
        return len(study.seeds)

    def next_trials(self, known: Known, ended: Collection[str]) -> Sequence[Trial]:
        """Return the trials of the next round, before any confirmation; none where all of them have ended.

        Args:
            known: the results so far.
            ended: keys of trials that are not waited for: they failed.
        """
        return [
            trial for trial in known.planned if trial.key not in known.measured and trial.key not in ended
        ]
