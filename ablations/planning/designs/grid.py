"""Grid: all combinations of the axes' values (a full factorial experiment)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from math import prod
from typing import TYPE_CHECKING

from ablations.errors import StudyError
from ablations.planning.designs.kind import DesignKind, Levels
from ablations.planning.designs.sizes import MOST_ROWS, count_text, shown_sizes

if TYPE_CHECKING:
    from ablations.planning.study import Study


class GridDesign(DesignKind):
    """All combinations."""

    name = "grid"
    description = "all combinations"
    varies_alone = False
    crosses = True

    def rows(self, sizes: Sequence[int], baseline: tuple[int, ...] | None) -> Iterator[Levels]:
        """Return every combination of levels, the last axis fastest."""
        return product(*map(range, sizes))

    def check_size(self, study: Study) -> int:
        """Refuse a product of the axes' sizes that is too large."""
        rows = prod(len(values) for values in study.varied.values())
        if rows > MOST_ROWS:
            raise StudyError(
                f"{shown_sizes(study)} has {count_text(rows)} rows; at most {MOST_ROWS:,}: vary less, or one factor at"
                " a time"
            )
        return rows
