"""What a source of recorded runs is: how it is named, what it accepts, and how it is read."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from ablations.analysis.external.asked import Asked
from ablations.analysis.external.runs import Recorded


class Source(ABC):
    """A kind of place in which runs are recorded."""

    name: ClassVar[str]
    """What stands before the colon: `name:PLACE`."""
    accepts: ClassVar[str]
    """How it is typed, and what that is, in a line."""
    takes: ClassVar[frozenset[str]] = frozenset()
    """Fields of `Asked` that it takes beside those that all take: `pattern`, `tracking_uri`."""

    @abstractmethod
    def recognises(self, place: str) -> bool:
        """Return whether a place that was typed without a name is one of these, by what is there."""

    @abstractmethod
    def read(self, place: str, asked: Asked) -> Recorded:
        """Return the runs of a place.

        Raises:
            UserError: it cannot be read, in a line.
            ToolMissing: a package that it needs is not installed.
        """
