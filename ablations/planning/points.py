"""Points: the way from a study's baseline along its axes to rows. Each kind of experiment has a class of its own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterable
from typing import Any, Protocol

from ablations.planning.row import Row

NOT_VARIED = "-"
"""The text of a value on an axis that does not apply."""


class PointOfStudy(Protocol):
    """Where a study stands on its way from the baseline to a row."""

    @property
    def identity(self) -> Hashable:
        """What makes two points the same question; the same as that of the row."""


class Points(ABC):
    """The points of one study. Each of its methods takes points that another of them returned."""

    @abstractmethod
    def start(self) -> PointOfStudy:
        """Return the baseline.

        Raises:
            StudyError: what is wrong with it.
        """

    def tasks(self) -> tuple[str, ...]:
        """Return the names of the study's tasks, the baseline's own first; ("",) where there is one only.

        Raises:
            StudyError: what is wrong with one.
        """
        return ("",)

    def on_task(self, task: str) -> PointOfStudy:
        """Return the baseline on one of the study's tasks."""
        return self.start()

    def plain(self, start: Any) -> PointOfStudy | None:
        """Return what is compared with a baseline in any case, such as the network without a block; or None."""
        return None

    @abstractmethod
    def moved(self, start: Any, axis: str, value: object) -> tuple[str, PointOfStudy]:
        """Return the value as text, and the point that it leads to along an axis.

        Raises:
            StudyError: the value does not fit, with study and axis.
        """

    @abstractmethod
    def row(self, point: Any, *, axis: str | None) -> Row:
        """Return the row at a point; `axis` as in `Row`."""

    def check(self, rows: Iterable[Row]) -> None:  # noqa: B027  (most kinds have nothing to refuse)
        """Refuse rows that cannot be run, as far as that is known before anything is read.

        Raises:
            StudyError: with the first such row.
        """
